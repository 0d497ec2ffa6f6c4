import { type Quantile, valueOf, withSample } from './quantile.ts';
import type { Rules } from './target.ts';

/** So many good answers, before it is said what is usual; and what is slow, in terms of it. */
const USUAL_SAMPLES = 100;
const SLOW_FACTOR = 3;
/** A target that answers in a millisecond is not slow with five. */
const LEAST_SLOW_MS = 50;

/** The latency from which an answer is a complaint, ms; null: none is. */
export function slowFrom(slowAfter: Rules['slowAfter'], usual: Quantile): number | null {
  if (slowAfter === 'off') return null;
  if (slowAfter !== 'auto') return slowAfter;
  const p99 = valueOf(usual, USUAL_SAMPLES);
  return p99 === undefined ? null : Math.max(LEAST_SLOW_MS, SLOW_FACTOR * p99);
}

/** With one more good answer. What is slow is not what is usual, however often it comes. */
export function withUsual(
  usual: Quantile,
  latencyMs: number,
  slowAfter: Rules['slowAfter'],
  slowMs: number | null,
): Quantile {
  return slowAfter === 'auto' && latencyMs <= (slowMs ?? Infinity) ? withSample(usual, latencyMs) : usual;
}
