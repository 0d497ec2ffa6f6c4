import { type Good, type Outcome } from './outcome.ts';
import { type Recent, failuresIn, isCalm, isUnsteady } from './ratio.ts';

/** It is available, and not as it should be: it warns, it is slow, or half of its attempts fail. */
export interface Degradation {
  /** What was the matter when it began; null where it is not degraded. */
  readonly because: Complaint | null;
  /** Good attempts in a row with a complaint, and without. */
  readonly complaints: number;
  readonly clean: number;
}

export type Complaint = 'warn' | 'slow' | 'unsteady';

export interface DegradedRule {
  /** Complaints in a row before degraded. */
  readonly degradedThreshold: number;
  /** Good attempts in a row without a complaint before it is restored. */
  readonly restoredThreshold: number;
}

export const NO_DEGRADATION: Degradation = { because: null, complaints: 0, clean: 0 };

/** What is wrong with a good answer: `slowMs` is the latency from which it is a complaint, null for none. */
export function complaintOf(
  outcome: Good,
  latencyMs: number,
  slowMs: number | null,
): Exclude<Complaint, 'unsteady'> | null {
  if (outcome.status === 'warn') return 'warn';
  return slowMs !== null && latencyMs > slowMs ? 'slow' : null;
}

/** After a good attempt. */
export function withGood(
  before: Degradation,
  complaint: Complaint | null,
  recent: Recent,
  rule: DegradedRule,
): Degradation {
  // The usual case, thousands of times a second: nothing to say, and nothing to allocate.
  if (complaint === null && before.because === null && before.complaints === 0 && !isUnsteady(recent))
    return before;
  const complaints = complaint === null ? 0 : before.complaints + 1;
  const clean = complaint === null ? before.clean + 1 : 0;
  const restored = clean >= rule.restoredThreshold && isCalm(recent);
  if (before.because !== null) return restored ? NO_DEGRADATION : { ...before, complaints, clean };
  const begins = complaint !== null && complaints >= rule.degradedThreshold ? complaint : null;
  const because = begins ?? (isUnsteady(recent) ? 'unsteady' : null);
  return because === null && complaints === 0 ? NO_DEGRADATION : { because, complaints, clean };
}

/** After a failure. */
export function withoutGood(before: Degradation, recent: Recent): Degradation {
  const because = before.because ?? (isUnsteady(recent) ? 'unsteady' : null);
  return because === before.because && before.clean === 0 ? before : { ...before, because, clean: 0 };
}

/** What a person reads of it. */
export function whyDegraded(
  because: Complaint,
  outcome: Outcome,
  latency: string,
  limit: string,
  recent: Recent,
): string {
  switch (because) {
    case 'warn':
      return outcome.message;
    case 'slow':
      return `slow: ${latency}, more than ${limit}`;
    case 'unsteady':
      return `${failuresIn(recent)} of the last 10 attempts failed`;
  }
}
