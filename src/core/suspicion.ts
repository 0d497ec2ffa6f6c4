import type { Rules } from './target.ts';

/**
 * When an answer is late enough to look again, before the timeout. It costs probes and never a verdict. The estimator is
 * TCP's: RFC 6298, section 2, on the latency of good attempts.
 */
export interface LatencyEstimate {
  /** Smoothed latency, ms. */
  readonly srtt: number;
  /** Its smoothed deviation, ms. */
  readonly rttvar: number;
  readonly samples: number;
}

export const NO_ESTIMATE: LatencyEstimate = { srtt: 0, rttvar: 0, samples: 0 };

/** Until so many good attempts have been seen, nothing is known of a target's habits. */
const ENOUGH_SAMPLES = 8;
const WITHOUT_SAMPLES_MS = 500;
/** A very regular target is not suspected for the length of a garbage collection. */
const LEAST_MS = 100;

export function withLatency({ srtt, rttvar, samples }: LatencyEstimate, latencyMs: number): LatencyEstimate {
  if (samples === 0) return { srtt: latencyMs, rttvar: latencyMs / 2, samples: 1 };
  return {
    rttvar: rttvar + (Math.abs(srtt - latencyMs) - rttvar) / 4,
    srtt: srtt + (latencyMs - srtt) / 8,
    samples: samples + 1,
  };
}

/** How long an attempt may go unanswered before it is looked at again, ms: SRTT + 4 RTTVAR, within bounds. */
export function suspicionPoint({ srtt, rttvar, samples }: LatencyEstimate, timeoutMs: number): number {
  const point = samples < ENOUGH_SAMPLES ? WITHOUT_SAMPLES_MS : Math.max(LEAST_MS, srtt + 4 * rttvar);
  return Math.min(point, timeoutMs);
}

/** The same for a target, as its rules have it; null: it is not asked again before its timeout. */
export function suspectAfter(
  { suspectAfter: written, timeoutMs }: Pick<Rules, 'suspectAfter' | 'timeoutMs'>,
  estimate: LatencyEstimate,
): number | null {
  if (written === 'off') return null;
  const after = written === 'auto' ? suspicionPoint(estimate, timeoutMs) : written;
  return after < timeoutMs ? after : null;
}
