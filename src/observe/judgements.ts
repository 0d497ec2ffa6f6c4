import { type Evidence, NO_EVIDENCE, withFailure } from '../core/evidence.ts';
import type { Judged } from '../core/explain.ts';
import type { Health } from '../core/health.ts';
import type { Observer } from '../core/observer.ts';
import { type Attempt, classOf, reasonOf } from '../core/outcome.ts';
import { failuresIn } from '../core/ratio.ts';
import type { Target } from '../core/target.ts';

/** What the last judgements of each target were, and what spoke for them. */
export interface Judgements {
  readonly observer: Observer;
  /** Oldest first. */
  of(target: string): readonly Judged[];
  /** Forgets all others. */
  retain(targets: readonly Pick<Target, 'name'>[]): void;
}

const MOST = 10;

interface Remembered {
  readonly last: Judged[];
  /** What had been held against the target before its newest attempt: a verdict ends it. */
  evidence: Evidence;
}

export function createJudgements(): Judgements {
  const byTarget = new Map<string, Remembered>();
  return {
    observer: {
      onAttempt({ name }, attempt, health, held) {
        let remembered = byTarget.get(name);
        if (!remembered) byTarget.set(name, (remembered = { last: [], evidence: NO_EVIDENCE }));
        const { last } = remembered;
        const before = last.at(-1);
        const judged = judgedOf(attempt, health, remembered.evidence, held);
        // Those in a row that came to the same are one entry: what came before would soon be forgotten otherwise.
        if (before && isMoreOf(before, judged))
          last[last.length - 1] = { ...judged, times: before.times + 1, first_at: before.first_at };
        else last.push(judged);
        if (last.length > MOST) last.shift();
        remembered.evidence = health.evidence;
      },
    },
    of: (target) => byTarget.get(target)?.last ?? [],
    retain(targets) {
      const names = new Set(targets.map(({ name }) => name));
      for (const name of byTarget.keys()) if (!names.has(name)) byTarget.delete(name);
    },
  };
}

function judgedOf(
  { outcome, number, at, startedAt, latencyMs }: Attempt,
  { state, evidence, recent }: Health,
  before: Evidence,
  held: string | null,
): Judged {
  const cls = classOf(outcome);
  // The failure that made it down: what it was added to is forgotten by the verdict.
  const against =
    cls !== null && evidence === NO_EVIDENCE && before !== NO_EVIDENCE && state === 'down'
      ? withFailure(before, cls, startedAt)
      : evidence;
  return {
    attempt: number,
    times: 1,
    first_at: at,
    at,
    status: outcome.status,
    reason: reasonOf(outcome),
    class: cls,
    message: outcome.message,
    latency_ms: Math.round(latencyMs * 1_000) / 1_000,
    state,
    evidence: (['explicit', 'silent', 'path'] as const).flatMap((one) => {
      const run = against[one];
      if (!run) return [];
      return [{ class: one, failures: run.count, lasted_ms: Math.round(startedAt + latencyMs - run.since) }];
    }),
    of_last_ten: failuresIn(recent),
    held,
  };
}

function isMoreOf(before: Judged, { status, reason, state, held, evidence }: Judged): boolean {
  return (
    before.status === status &&
    before.reason === reason &&
    before.state === state &&
    before.held === held &&
    // The one that was the verdict stands for itself.
    before.evidence.length > 0 === evidence.length > 0
  );
}
