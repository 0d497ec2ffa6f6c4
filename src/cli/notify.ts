import { plain } from '../core/plain.ts';
import type { Config } from '../config/load.ts';
import type { HookEvent, HookEventName, HookResult, HookSpec } from '../core/hook.ts';
import { incidentId } from '../core/incident.ts';
import { suggest } from '../core/suggest.ts';
import { formatDuration } from '../core/units.ts';
import { hooks } from '../hooks/index.ts';
import { killAll } from '../process/command.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { UsageError, parse, someFiles } from './args.ts';
import { load } from './load.ts';
import type { Command } from './main.ts';
import { type Paint, paintFor } from './style.ts';

/** Both, so that an alert that is opened by the test is closed by it. */
const TOLD = ['down', 'up'] as const;

const TARGET = 'vitald-test';

export const notify: Command = {
  synopsis: 'test HOOK FILE...',
  summary: 'Tries a hook: tells it of a target that is down, and up again.',
  options: [`The target is called ${TARGET}. No agent has to run. Exit 1: it was not taken.`],

  async run(args) {
    const { positionals } = parse(args, {});
    const [what, name, ...files] = positionals;
    if (what !== 'test') throw new UsageError(`there is "notify test", and no "notify ${what ?? ''}"`);
    if (name === undefined) throw new UsageError('name a hook, and the YAML file that it is in');
    const config = load(someFiles(files));
    const spec = hookOf(name, config);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        killAll();
        process.exit(1);
      });
    }
    const results: boolean[] = [];
    for (const event of TOLD.filter((event) => spec.on?.includes(event) ?? true)) {
      const { result, ms } = await fire(spec, testEvent(event));
      process.stdout.write(`${lineOf(spec, event, result, ms, config, paintFor(process.stdout))}\n`);
      results.push(result.ok);
    }
    if (results.length === 0) throw new UsageError(`"${name}" hears neither of ${TOLD.join(' and ')}`);
    return results.every(Boolean) ? 0 : 1;
  },
};

function hookOf(name: string, config: Config): HookSpec {
  const spec = config.hooks.get(name);
  if (spec) return spec;
  const known = [...config.hooks.keys()];
  const near = suggest(name, known);
  const hint =
    near !== undefined
      ? `did you mean "${near}"?`
      : known.length === 0
        ? 'there is none'
        : `there is ${known.join(', ')}`;
  throw new UsageError(`there is no hook "${name}" that tells somebody; ${hint}`);
}

const clock = createSystemClock();
const startedAt = clock.wallTime();

function testEvent(event: HookEventName): HookEvent {
  const incident = incidentId(TARGET, startedAt);
  const isDown = event === 'down';
  return {
    id: `${incident}/${event}`,
    event,
    kind: 'target',
    target: TARGET,
    group: null,
    labels: {},
    purpose: 'live',
    probe: 'test',
    state: isDown ? 'down' : 'up',
    from: isDown ? 'suspect' : 'recovering',
    reason: isDown ? 'status' : null,
    class: isDown ? 'explicit' : null,
    message: 'this is a test, nothing has happened',
    incident,
    correlated: null,
    relapses: 0,
    attempt: 1,
    at: new Date(isDown ? startedAt : clock.wallTime()).toISOString(),
    since: new Date(startedAt).toISOString(),
  };
}

/** One try, as the agent would make it. */
async function fire(
  { kind, settings, timeoutMs }: HookSpec,
  event: HookEvent,
): Promise<{ result: HookResult; ms: number }> {
  const hook = hooks[kind as keyof typeof hooks];
  const signal = AbortSignal.timeout(timeoutMs);
  const began = clock.now();
  const result = await hook.fire(settings as never, event, { signal, clock }).catch((error: Error) => ({
    ok: false,
    detail: error.message,
    retry: true,
  }));
  const ended = signal.aborted && !result.ok ? `no end within ${formatDuration(timeoutMs)}` : result.detail;
  return { result: { ...result, detail: ended }, ms: clock.now() - began };
}

function lineOf(
  { name, kind }: HookSpec,
  event: HookEventName,
  { ok, detail }: HookResult,
  ms: number,
  { redact }: Config,
  paint: Paint,
): string {
  const verdict = ok ? paint('green', 'taken') : paint('red', 'not taken');
  return `${name} (${kind}, on ${event}) ${verdict} in ${formatDuration(ms)}: ${plain(redact(detail))}`;
}
