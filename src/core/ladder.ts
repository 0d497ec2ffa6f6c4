import type { State } from './health.ts';
import { PROBATION_MS } from './incident.ts';
import type { EvidenceClass } from './outcome.ts';

/** A rung, as far as the order of rungs needs to know it. */
export interface Rung {
  /** Unique in its ladder, and the same after a reload: `restart-orders/2`. */
  readonly name: string;
  /** How often it is tried before the next one. */
  readonly attempts: number;
  /** Evidence that it cures. */
  readonly on: readonly EvidenceClass[];
}

/** How far up its ladder a target has been taken. Plain JSON; times are monotonic ms. */
export interface Climb {
  /** Attempts by name of rung. */
  readonly used: Readonly<Record<string, number>>;
  /** Why nothing more is tried; null while the ladder is armed. */
  readonly gaveUp: string | null;
  /** No next attempt before this; null where there was none. */
  readonly coolUntil: number | null;
  /** Since when the target has not been down; null while it is, or was never up. */
  readonly upSince: number | null;
  /** Attempts before this are forgiven: somebody has looked at it. */
  readonly ackedAt: number | null;
}

export const NEW_CLIMB: Climb = { used: {}, gaveUp: null, coolUntil: null, upSince: null, ackedAt: null };

/** Up for as long as this re-arms a ladder that has given up, ms. */
export const REARM_MS = 60 * 60_000;

/** The rung to try next; why there is none where there is none. */
export function nextRung<R extends Rung>(
  rungs: readonly R[],
  { used }: Pick<Climb, 'used'>,
  evidence: EvidenceClass | null,
): R | 'used up' | 'no cure' {
  const cures = rungs.filter(({ on }) => evidence !== null && on.includes(evidence));
  if (cures.length === 0) return 'no cure';
  return cures.find(({ name, attempts }) => (used[name] ?? 0) < attempts) ?? 'used up';
}

/** All attempts of this climb. */
export function attemptsOf({ used }: Pick<Climb, 'used'>): number {
  return Object.values(used).reduce((sum, count) => sum + count, 0);
}

/** With one more attempt of a rung; the next waits until `coolUntil`. */
export function climbed(climb: Climb, rung: string, coolUntil: number): Climb {
  return { ...climb, coolUntil, used: { ...climb.used, [rung]: (climb.used[rung] ?? 0) + 1 } };
}

/**
 * With the state after an attempt that was judged. Only `down` ends a time of being up: a suspicion is no verdict. After
 * the probation the counters begin anew, except those of a ladder that has given up: that takes longer.
 */
export function watched(climb: Climb, state: State, now: number): Climb {
  const span = climb.gaveUp === null ? PROBATION_MS : REARM_MS;
  const rested = climb.upSince !== null && now - climb.upSince >= span;
  const kept = rested && isUsed(climb) ? { ...NEW_CLIMB, upSince: climb.upSince } : climb;
  if (state === 'down') return kept.upSince === null ? kept : { ...kept, upSince: null };
  return state === 'up' && kept.upSince === null ? { ...kept, upSince: now } : kept;
}

function isUsed({ used, gaveUp, coolUntil, ackedAt }: Climb): boolean {
  return gaveUp !== null || coolUntil !== null || ackedAt !== null || Object.keys(used).length > 0;
}

export function givenUp(climb: Climb, why: string): Climb {
  return { ...climb, gaveUp: why };
}

/** Somebody has looked: armed anew, from the first rung. */
export function acknowledged(climb: Climb, now: number): Climb {
  return { ...NEW_CLIMB, upSince: climb.upSince, ackedAt: now };
}
