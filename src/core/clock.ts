/**
 * Where time comes from. Two of them, never mixed: monotonic for every duration and deadline, wall clock for what a
 * person or a hook will read.
 */
export interface Clock {
  /** Monotonic milliseconds, fractions included; the origin means nothing. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallTime(): number;
  /**
   * Calls back once, at `at` (monotonic ms) or after it, or less than a millisecond before: whoever compares has to bear that. The
   * returned function cancels; calling it late does no harm.
   */
  schedule(at: number, callback: () => void): Cancel;
}

export type Cancel = () => void;
