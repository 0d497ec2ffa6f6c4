/**
 * A target that goes down again and again is flapping: each `down` adds a penalty that decays with time. After route flap
 * damping, RFC 2439: figure of merit with a half-life, a threshold to suppress at and a lower one to reuse at.
 */
export interface Flaps {
  /** What it came to at `at`. */
  readonly penalty: number;
  /** Monotonic ms of the newest `down`. */
  readonly at: number;
  /** Monotonic ms of the last change between available and not. */
  readonly changedAt: number;
  readonly flapping: boolean;
}

export const NO_FLAPS: Flaps = { penalty: 0, at: -Infinity, changedAt: -Infinity, flapping: false };

const PER_DOWN = 1_000;
const HALF_LIFE_MS = 600_000;
const SUPPRESS = 3_000;
const REUSE = 1_000;
/** It is forgotten within an hour, however often it went down: six half-lives above the reuse threshold. */
const MOST = REUSE * 2 ** 6;

/** What is left of the penalty at `now`, monotonic ms. */
export function penaltyAt({ penalty, at }: Flaps, now: number): number {
  return penalty === 0 ? 0 : penalty * 2 ** (-(now - at) / HALF_LIFE_MS);
}

/** It went down at `now`, monotonic ms. */
export function withDown(flaps: Flaps, now: number): Flaps {
  const penalty = Math.min(MOST, penaltyAt(flaps, now) + PER_DOWN);
  return { penalty, at: now, changedAt: now, flapping: flaps.flapping || penalty >= SUPPRESS };
}

/** It came up at `now`, monotonic ms. */
export function withUp(flaps: Flaps, now: number): Flaps {
  return flaps.penalty === 0 ? flaps : { ...flaps, changedAt: now };
}

/** By `now`, monotonic ms: one that has stayed as it is for a half-life flaps no more. The same object if nothing changed. */
export function settledBy(flaps: Flaps, now: number): Flaps {
  if (!flaps.flapping) return flaps;
  const settled = penaltyAt(flaps, now) < REUSE || now - flaps.changedAt >= HALF_LIFE_MS;
  return settled ? { ...flaps, flapping: false } : flaps;
}
