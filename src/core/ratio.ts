import { type DownRule, windowOf } from './evidence.ts';
import type { EvidenceClass } from './outcome.ts';

/**
 * What the last regular attempts came to. A target that fails every other time is never failing in a row; counted over
 * the last ten it shows. Monit has this rule as "X times within Y cycles". Confirmations are not counted among the ten:
 * they come only after failures, and would weigh them double. But where most of them are good, those failures were
 * chance: of lost packets, every one is refuted a moment later.
 */
export interface Regular {
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Null where it was good. */
  readonly failed: EvidenceClass | null;
  /** Of the confirmations that came after it, by how many more failed than were good. */
  readonly balance: number;
}

/** Oldest first, at most `LAST`, and begins with a failure: a target that is well keeps nothing. */
export type Recent = readonly Regular[];
export const NO_RECENT: Recent = [];

const LAST = 10;
/** So many of the last ten that failed are a verdict of `down`. */
const DOWN_SHARE = 8;
/** So many are a complaint, until there are no more than `CALM_SHARE`. */
const UNSTEADY_SHARE = 5;
const CALM_SHARE = 2;

export function withRegular(recent: Recent, one: Omit<Regular, 'balance'>): Recent {
  if (recent.length === 0 && one.failed === null) return recent;
  const last = [...recent, { ...one, balance: 0 }].slice(-LAST);
  const first = last.findIndex(({ failed }) => failed !== null);
  return first < 0 ? NO_RECENT : first === 0 ? last : last.slice(first);
}

export function withConfirmation(recent: Recent, { isGood }: { readonly isGood: boolean }): Recent {
  const last = recent.at(-1);
  return last ? [...recent.slice(0, -1), { ...last, balance: last.balance + (isGood ? -1 : 1) }] : recent;
}

export function failuresIn(recent: Recent): number {
  return recent.reduce((count, { failed }) => count + (failed === null ? 0 : 1), 0);
}

export function isUnsteady(recent: Recent): boolean {
  return failuresIn(recent) >= UNSTEADY_SHARE;
}
export function isCalm(recent: Recent): boolean {
  return failuresIn(recent) <= CALM_SHARE;
}

/**
 * The weakest class of evidence among the failures, where they are enough for `down` at `at`, monotonic ms: eight of ten,
 * never fewer than the threshold, over at least that class's window, and no more confirmations good than failed. Null
 * where they are not.
 */
export function provenByShare(recent: Recent, rule: DownRule, at: number): EvidenceClass | null {
  if (failuresIn(recent) < Math.max(DOWN_SHARE, rule.failureThreshold)) return null;
  if (recent.reduce((sum, { balance }) => sum + balance, 0) < 0) return null;
  const weakest = (['path', 'silent', 'explicit'] as const).find((cls) =>
    recent.some(({ failed }) => failed === cls),
  )!;
  const reached = recent.some(({ failed }) => failed === 'explicit' || failed === 'silent');
  const lasted = at - recent[0]!.startedAt;
  return lasted >= windowOf(weakest, { reached }, rule.confirm) - 1 ? weakest : null;
}
