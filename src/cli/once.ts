import { probes } from '../../probes/index.ts';
import type { Config } from '../config/load.ts';
import type { Attempt } from '../core/outcome.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import { suggest } from '../core/suggest.ts';
import type { Target } from '../core/target.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import { killAll } from '../process/command.ts';
import { startAttempt } from '../runtime/attempt.ts';
import { boundsFor } from '../runtime/bounds.ts';
import { createLimiter } from '../runtime/limiter.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { UsageError, parse, someFiles } from './args.ts';
import { load } from './load.ts';
import { attemptRecord } from './attempt-record.ts';
import type { Command } from './main.ts';
import { plain } from '../core/plain.ts';
import { type Paint, STATUS_COLOUR, paintFor, table } from './style.ts';

/** Progress is for whoever waits: not before this, ms. */
const PATIENCE_MS = 400;

interface Result {
  readonly target: Target;
  readonly attempt: Attempt;
}

export const once: Command = {
  synopsis: 'FILE... [--json] [--target NAME]',
  summary: 'Asks every target once and prints what it said.',
  options: [
    '--json          one JSON object a line, as the answers come',
    '--target NAME   only this target; may be repeated',
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      json: { type: 'boolean' },
      target: { type: 'string', multiple: true },
    });
    const config = load(someFiles(positionals));
    const targets = chosen(config.targets, values.target);
    const progress = values.json ? () => {} : createProgress(targets.length);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        killAll();
        process.exit(1);
      });
    }
    const results = await askAll(targets, config, (result) => {
      progress();
      if (values.json)
        process.stdout.write(`${JSON.stringify(attemptRecord(result.target, result.attempt))}\n`);
    });
    if (!values.json) process.stdout.write(`${report(results, paintFor(process.stdout))}\n`);
    return results.some(({ attempt }) => attempt.outcome.status === 'fail') ? 1 : 0;
  },
};

function chosen(targets: readonly Target[], names: readonly string[] | undefined): readonly Target[] {
  if (!names) return targets;
  const known = targets.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = suggest(name, known);
    throw new UsageError(
      `there is no target "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
    );
  }
  return targets.filter(({ name }) => names.includes(name));
}

/** One attempt for each target, under the bounds of the configuration; the results in the targets' order. */
async function askAll(
  targets: readonly Target[],
  { concurrency, redact }: Config,
  onResult: (result: Result) => void,
): Promise<Result[]> {
  const clock = createSystemClock();
  const limiter = createLimiter(boundsFor(targets, concurrency));
  const registry: ProbeRegistry = probes;
  const onTrouble = (what: string, detail: string): void => {
    process.stderr.write(`vitald: a bug in ${what}: ${redact(detail)}\n`);
  };
  return await Promise.all(
    targets.map((target) =>
      limiter.run(target.host, async () => {
        const probe = registry[target.probe.kind]!;
        const attempt = await startAttempt({ target, probe, number: 1, clock, redact, onTrouble }).settled;
        const result = { target, attempt: attempt! };
        onResult(result);
        return result;
      }),
    ),
  );
}

function report(results: readonly Result[], paint: Paint): string {
  const rows = results.map(({ target, attempt: { outcome, latencyMs } }) => [
    plain(target.name),
    target.probe.kind,
    outcome.status,
    formatDuration(latencyMs),
    outcome.status === 'fail' ? `${outcome.reason}: ${plain(outcome.message)}` : plain(outcome.message),
  ]);
  const width = process.stdout.columns ?? Infinity;
  const body = table(['TARGET', 'PROBE', 'STATUS', 'TIME', 'SAID'], rows, width, (text, row, column) => {
    if (row === -1) return paint('gray', text);
    if (column === 2) return paint(STATUS_COLOUR[results[row]!.attempt.outcome.status], text);
    return column === 0 ? paint('bold', text) : column === 4 ? text : paint('gray', text);
  });
  return `${body}\n\n${summary(results, paint)}`;
}

function summary(results: readonly Result[], paint: Paint): string {
  const counts = (['ok', 'warn', 'fail', 'void'] as const).map((status) => {
    const count = results.filter(({ attempt }) => attempt.outcome.status === status).length;
    return { status, count };
  });
  const said = counts
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => paint(STATUS_COLOUR[status], `${count} ${status}`));
  return `${formatCount(results.length, 'target')}: ${said.join(', ')}`;
}

/** Counts on stderr, on a terminal, once it takes long; the last count wipes the line. */
function createProgress(total: number): () => void {
  if (!process.stderr.isTTY) return () => {};
  const startedAt = performance.now();
  let done = 0;
  let shown = false;
  return () => {
    done++;
    if (performance.now() - startedAt < PATIENCE_MS && !shown) return;
    shown = true;
    process.stderr.write(done === total ? '\r\u001b[K' : `\r\u001b[K${done} of ${total} answered`);
  };
}
