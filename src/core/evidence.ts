import { EVIDENCE_CLASSES, type EvidenceClass } from './outcome.ts';

/**
 * What speaks against a target since its last good attempt, by evidence class, and when it is enough for `down`. The
 * classes are ordered by how much a failure knows: explicit (the target said no) is also a failure to answer, which is
 * also a failure to be reached. So a failure extends the runs of its own class and of those behind it, and ends those
 * before it. After Chen, Toueg and Aguilera, On the Quality of Service of Failure Detectors (2002): each window is the
 * silence that is tolerated, and against outages of mean length B the rate of false alarms falls as exp(-window / B).
 */
export interface Evidence {
  readonly explicit: Run | null;
  readonly silent: Run | null;
  readonly path: Run | null;
  /** Something of the target's host has answered: it is not the path, or not the path alone. */
  readonly reached: boolean;
}

/** Failures in a row that are evidence of one class. */
export interface Run {
  /** Monotonic ms at which the first of them started. */
  readonly since: number;
  readonly count: number;
}

/** How long failures of each class must last, ms from the start of the first to the end of the last. */
export type ConfirmWindows = Readonly<Record<EvidenceClass, number>>;

export interface DownRule {
  /** Failed attempts in a row before down. */
  readonly failureThreshold: number;
  readonly confirm: ConfirmWindows;
}

export const NO_EVIDENCE: Evidence = { explicit: null, silent: null, path: null, reached: false };

const ORDER = EVIDENCE_CLASSES;

/** With one more failure, of an attempt that started at `startedAt`, monotonic ms. */
export function withFailure(evidence: Evidence, failed: EvidenceClass, startedAt: number): Evidence {
  const rank = ORDER.indexOf(failed);
  const extended = (cls: EvidenceClass): Run | null => {
    if (ORDER.indexOf(cls) < rank) return null;
    const run = evidence[cls];
    return run ? { since: run.since, count: run.count + 1 } : { since: startedAt, count: 1 };
  };
  return {
    explicit: extended('explicit'),
    silent: extended('silent'),
    path: extended('path'),
    reached: evidence.reached || failed !== 'path',
  };
}

/**
 * The window of a class. Where the target's host has answered in between, evidence of the path alone may not undercut
 * the silent window: what stalls a server, every way to it sees.
 */
export function windowOf(
  cls: EvidenceClass,
  { reached }: Pick<Evidence, 'reached'>,
  confirm: ConfirmWindows,
): number {
  return cls === 'path' && reached ? Math.max(confirm.path, confirm.silent) : confirm[cls];
}

/** The same for an agent that has reason to look longer. */
export function stretched<Rule extends Pick<DownRule, 'confirm'>>(rule: Rule, factor: number): Rule {
  if (factor === 1) return rule;
  const { explicit, silent, path } = rule.confirm;
  return { ...rule, confirm: { explicit: explicit * factor, silent: silent * factor, path: path * factor } };
}

/** The class whose rule for down is met at `at`, monotonic ms; null where none is. */
export function provenBy(evidence: Evidence, rule: DownRule, at: number): EvidenceClass | null {
  return (
    ORDER.find((cls) => {
      const run = evidence[cls];
      return (
        run !== null &&
        run.count >= rule.failureThreshold &&
        // Timers count whole milliseconds and may fire a fraction early.
        at - run.since >= windowOf(cls, evidence, rule.confirm) - 1
      );
    }) ?? null
  );
}

/**
 * When the next confirmation starts, monotonic ms: `spacing` after the one before, or sooner where an attempt that
 * starts then would end, at the latest, just as a window does: a verdict comes with the window, not a spacing later.
 */
export function nextConfirmation(
  evidence: Evidence,
  { confirm }: Pick<DownRule, 'confirm'>,
  {
    lastStart,
    spacing,
    timeout,
  }: { readonly lastStart: number; readonly spacing: number; readonly timeout: number },
): number {
  let next = lastStart + spacing;
  for (const cls of ORDER) {
    const run = evidence[cls];
    if (!run) continue;
    const end = run.since + windowOf(cls, evidence, confirm);
    // A refusal comes at once; silence takes a whole timeout to be heard.
    const start = cls === 'explicit' ? end : end - timeout;
    if (start > lastStart && start < next) next = start;
  }
  return next;
}
