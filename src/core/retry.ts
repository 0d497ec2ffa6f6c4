import { backoff } from './backoff.ts';

/** The longest pause between two tries, ms: a receiver that is back is not kept waiting for long. */
const MAX_PAUSE_MS = 300_000;
/** What a receiver may ask for at most, ms. */
const MAX_ASKED_MS = 3_600_000;

export interface Tried {
  /** Tries so far, at least one. */
  readonly tries: number;
  /** How many may follow the first one; null: as many as there is time for. */
  readonly retries: number | null;
  /** Until it is given up, ms. */
  readonly leftMs: number;
  /** What the receiver asks for, ms. */
  readonly retryAfterMs?: number | undefined;
}

/** How long to wait before the next try, ms; null where there is none. */
export function pauseBeforeRetry(
  { tries, retries, leftMs, retryAfterMs = 0 }: Tried,
  random: () => number,
): number | null {
  if (retries !== null && tries > retries) return null;
  const own = backoff(tries, random, { maxMs: MAX_PAUSE_MS });
  const pause = Math.max(own, Math.min(retryAfterMs, MAX_ASKED_MS));
  return pause > leftMs ? null : pause;
}
