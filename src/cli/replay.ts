import { closeSync, openSync, readSync } from 'node:fs';
import type { Config } from '../config/load.ts';
import type { Recorded } from '../core/recorded.ts';
import type { Begun } from '../core/replay.ts';
import { readLog } from '../observe/log-reader.ts';
import { createRehearsal } from '../recovery/rehearsal.ts';
import { steps } from '../steps/index.ts';
import { faultOf } from '../store/fault.ts';
import { createMemoryStore } from '../store/memory.ts';
import { type Kept, keptIn } from '../store/recorded.ts';
import { UsageError, parse, someFiles } from './args.ts';
import { load } from './load.ts';
import type { Command } from './main.ts';
import { replayPage } from './picture/replay.ts';
import { type Comparison, comparisonOf, recordOf } from './replay-record.ts';
import { paintFor } from './style.ts';

export const replay: Command = {
  synopsis: 'FILE... --from STATE|LOG [--since TIME] [--until TIME] [--json]',
  summary: 'What these rules would have made of recorded attempts.',
  options: [
    '--from PATH    the state of an agent, or its log: run --log json --log-level debug',
    '--since TIME   attempts from then on, such as 2026-11-25T08:00:00Z',
    '--until TIME   attempts before then',
    '--json         everything as one JSON object',
    'Exit 1 where something differs.',
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      from: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      json: { type: 'boolean' },
    });
    const { from } = values;
    const files = someFiles(positionals);
    if (from === undefined) {
      throw new UsageError('--from names what was recorded: the state of an agent, or its log as JSON');
    }
    const config = load(files);
    const since = timeOf('--since', values.since) ?? -Infinity;
    const until = timeOf('--until', values.until) ?? Infinity;
    const comparison = await compared(config, from, ({ start }) => start >= since && start < until);
    const { stdout } = process;
    const page = { paint: paintFor(stdout), columns: stdout.columns ?? 120 };
    stdout.write(
      values.json ? `${JSON.stringify(recordOf(comparison))}\n` : `${replayPage(comparison, page)}\n`,
    );
    return comparison.differs ? 1 : 0;
  },
};

async function compared(
  config: Config,
  from: string,
  isWanted: (attempt: Recorded) => boolean,
): Promise<Comparison> {
  const { targets, recovery: rules, redact } = config;
  const rehearsal = createRehearsal({ targets, rules, steps, redact, store: createMemoryStore(0) });
  const seen = createSeen();
  const actions: Begun[] = [];
  let bad = 0;

  async function onAttempt(attempt: Recorded): Promise<void> {
    if (!isWanted(attempt)) return;
    seen.note(attempt);
    await rehearsal.see(attempt);
  }
  const kept = keptThere(from, Math.max(...targets.map(({ rules }) => rules.successThreshold)));
  if (kept) {
    actions.push(...kept.actions);
    for (const attempt of kept.attempts) await onAttempt(attempt);
  } else ({ bad } = await readLog(from, { onAttempt, onAction: (action) => actions.push(action) }));
  if (seen.byTarget.size === 0) {
    throw new UsageError(
      `${from} has no attempts on record${bad > 0 ? `, and ${bad} lines that no agent has written` : ''}`,
    );
  }
  return comparisonOf({ config, rehearsal, seen: seen.byTarget, actions, bad, from });
}

/** What a state has on record; undefined where the file is none. */
function keptThere(path: string, most: number): Kept | undefined {
  try {
    return isDatabase(path) ? keptIn(path, most) : undefined;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${faultOf(error).detail}`);
  }
}

/** What is on record of a target. */
export interface Seen {
  /** Ms since the epoch of the first attempt, and of the last. */
  readonly first: number;
  readonly last: number;
  /** From one regular attempt to the next, as a rule, ms; null where there was one at most. */
  readonly spacing: number | null;
  readonly regularAt: number | null;
}

function createSeen() {
  const byTarget = new Map<string, Seen>();
  return {
    byTarget: byTarget as ReadonlyMap<string, Seen>,
    note({ target, start, confirmation }: Recorded): void {
      const before = byTarget.get(target);
      const { first = start, spacing = null, regularAt = null } = before ?? {};
      const gap = confirmation || regularAt === null ? null : start - regularAt;
      byTarget.set(target, {
        first,
        last: start,
        spacing: gap === null ? spacing : towards(spacing ?? gap, gap),
        regularAt: confirmation ? regularAt : start,
      });
    },
  };
}

/** Closer to the median of all gaps: times without an agent, and late starts, are the exception. */
function towards(spacing: number, gap: number): number {
  return gap > spacing ? Math.min(gap, spacing * 1.05) : Math.max(gap, spacing / 1.05);
}

function timeOf(option: string, written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const time = Date.parse(written);
  if (Number.isNaN(time))
    throw new UsageError(`${option} takes a time such as 2026-11-25T08:00:00Z, not "${written}"`);
  return time;
}

const MAGIC = 'SQLite format 3\0';

function isDatabase(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(MAGIC.length);
    readSync(file, head, 0, head.length, 0);
    return head.toString('latin1') === MAGIC;
  } finally {
    closeSync(file);
  }
}
