import { heartbeatProbe } from '../../probes/heartbeat.ts';
import { probes } from '../../probes/index.ts';
import { createAgent } from '../agent.ts';
import { ListenError, listenAt } from '../api/listen.ts';
import type { Config } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { type Observer, combine, stackOf } from '../core/observer.ts';
import { hooks } from '../hooks/index.ts';
import { steps } from '../steps/index.ts';
import { createBeatLog } from '../observe/beat-log.ts';
import { createCounters } from '../observe/counters.ts';
import { createJudgements } from '../observe/judgements.ts';
import { createLogObserver } from '../observe/log.ts';
import { killAll } from '../process/command.ts';
import { createAgentChecks } from '../publish/agent-check.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { ownToken } from './api-token.ts';
import { UsageError, parse, someFiles } from './args.ts';
import { load, prepare } from './load.ts';
import { type Log, createLog } from './logger.ts';
import { toldToLeave } from './leave.ts';
import { createListener } from './listener.ts';
import type { Command } from './main.ts';
import { renderProblems } from './problems.ts';
import { createAttemptRecorder } from '../store/attempts.ts';
import { createRecorder } from '../store/recorder.ts';
import { openState } from './state.ts';
import { routesOf } from './routes.ts';
import { spaced } from './spaced.ts';
import { paintFor } from './style.ts';
import { watchFiles } from './watch.ts';

const FORMATS = ['auto', 'json', 'text'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export const run: Command = {
  synopsis: 'FILE... [--log FORMAT] [--log-level LEVEL] [--dry-run]',
  summary: 'Watches the targets until SIGTERM; SIGHUP or a change reloads.',
  options: [
    '--log FORMAT       json, text, or auto: text on a terminal, else json [auto]',
    '--log-level LEVEL  debug, info, warn or error; debug adds every attempt [info]',
    '--dry-run          recovery says what it would do, and does not do it',
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      log: { type: 'string' },
      'log-level': { type: 'string' },
      'dry-run': { type: 'boolean' },
    });
    const format = oneOf('--log', values.log ?? 'auto', FORMATS);
    const level = oneOf('--log-level', values['log-level'] ?? 'info', LEVELS);
    const log = createLog(format, level);
    return await runAgent(someFiles(positionals), log, {
      keepsState: true,
      isDryRun: values['dry-run'] ?? false,
    });
  },
};

export interface RunOptions {
  /** Whether what the configuration says of `state` holds; otherwise nothing outlives the process. */
  readonly keepsState: boolean;
  /** Whether recovery only says what it would do. */
  readonly isDryRun?: boolean;
  /** What the configuration becomes before it is in force. */
  readonly adjust?: (config: Config) => Config;
  readonly observers?: readonly Observer[];
  readonly stopSignal?: AbortSignal;
}

/**
 * Runs the agent until it is told to stop. Throws ConfigError where the files cannot be used from the start, ListenError
 * where the address cannot be listened on.
 */
export async function runAgent(
  files: readonly string[],
  { log, flush }: Log,
  { keepsState, isDryRun = false, adjust = (config) => config, observers = [], stopSignal }: RunOptions,
): Promise<number> {
  let config = adjust(load(files));
  await prepare(config);
  let startedAt: number | undefined;
  const clock = createSystemClock();
  const counters = createCounters();
  const beatLog = createBeatLog(log, clock);
  const store = await openState(keepsState ? config.state : null, clock, log);
  const judgements = createJudgements();
  const recorder = createRecorder({ store, clock });
  const attempts = createAttemptRecorder({ store, clock });
  const kept = [recorder, attempts.observer];
  const told = [createLogObserver(log), ...kept, beatLog, counters, judgements.observer, ...observers];
  const listener = createListener({
    clock,
    observer: combine(told),
    routes: routesOf({
      clock,
      startedAt: () => startedAt,
      config: () => config,
      agent: () => agent,
      store,
      history: judgements.of,
    }),
    ownToken: (state) => (keepsState ? tokenBeside(state, log) : undefined),
    onListening: (address, serves) => log.info({ address, serves }, 'listening'),
    onUnserved: (detail) => log.warn({ detail }, 'the agent cannot be asked, api.listen gives it an address'),
  });
  const agentChecks = createAgentChecks({
    clock,
    memberOf: (target) => agent.published.member(target),
    listenAt,
    onListening: (address) => log.info({ address, serves: 'agent checks' }, 'listening'),
  });
  const agent = createAgent({
    probes: { ...probes, heartbeat: heartbeatProbe(listener.inbox) },
    hooks,
    steps,
    isDryRun,
    clock,
    random: Math.random,
    observers: told,
    store,
  });

  /** Throws ListenError, and then all is as it was. */
  async function listenAs(next: Config): Promise<void> {
    await agentChecks.apply(next.publish);
    try {
      await listener.apply(next);
    } catch (error) {
      await agentChecks.apply(config.publish);
      throw error;
    }
  }

  async function reload(why: string): Promise<void> {
    try {
      await listening;
      const next = adjust(load(files));
      await prepare(next);
      await listenAs(next);
      if (next.state !== config.state)
        log.warn({ state: next.state ?? 'off' }, 'another state takes effect at the next start');
      config = next;
    } catch (error) {
      log.error({ why, problems: problemsOf(error) }, 'reload refused, the running configuration goes on');
      return;
    }
    const changes = agent.apply(config);
    judgements.retain(config.targets);
    log.info({ why, ...changes }, 'reloaded');
  }

  const leave = toldToLeave();
  const reloads = spaced(reload);
  // It stays until the end: without a handler a SIGHUP would kill us, and leave hooks behind.
  process.on('SIGHUP', () => reloads.ask('SIGHUP'));
  // It never switches on again: whoever sends it twice in a hurry means it.
  process.on('SIGUSR2', () => agent.recovery.switchOff('SIGUSR2', 'SIGUSR2'));
  const listening = listenAs(config);
  await listening;
  // Sockets and timers come and go: the process lives for as long as the agent runs.
  const alive = setInterval(() => {}, 2 ** 30);
  const unwatch = watchFiles(files, {
    onChange: () => reloads.ask('a file changed'),
    onTrouble: (error) => log.warn({ detail: error.message }, 'files are not watched, SIGHUP still reloads'),
  });
  stopSignal?.addEventListener('abort', () => leave.stop('the end of the story'), { once: true });

  agent.apply(config);
  startedAt = clock.wallTime();
  log.info(
    { targets: config.targets.length, hooks: config.hooks.size, anchors: config.anchors.length, files },
    'started',
  );
  const why = await leave.first;
  log.info({ why, grace_ms: config.stopGraceMs }, 'stopping');
  unwatch();
  const reloaded = reloads.end();
  leave.second(() => {
    killAll();
    log.warn('stopped at once, hooks were cut short');
    // Whatever is still under way is abandoned: that is what the second signal asks for.
    void flush().then(() => process.exit(1));
  });
  await reloaded;
  await Promise.all([agent.stop(), listener.stop(), agentChecks.stop()]);
  attempts.stop();
  await store.close();
  beatLog.end();
  log.info({ ...counters.totals() }, 'stopped');
  await flush();
  leave.forget();
  clearInterval(alive);
  return 0;
}

/** Without a token, whatever changes something is refused. */
function tokenBeside(state: string | null, log: Log['log']): string | undefined {
  try {
    return state === null
      ? undefined
      : ownToken(state, (detail) =>
          log.warn({ detail }, 'the token of the API was unfit, there is a new one'),
        );
  } catch (error) {
    log.warn(
      { detail: (error as Error).message },
      'the token of the API cannot be kept, api.token gives it one',
    );
    return undefined;
  }
}

function problemsOf(error: unknown): string {
  if (error instanceof ConfigError) return renderProblems(error.problems, paintFor(process.stdout));
  if (error instanceof ListenError) return error.message;
  // A bug of ours in reading a file is no reason to stop watching the services either.
  return `our own trouble: ${stackOf(error)}`;
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${option} takes ${allowed.join(', ')}, not "${value}"`);
  return found;
}
