import type { Health } from './health.ts';

/**
 * Many targets that fail together fail of one cause: their incidents belong together. An episode begins when that is
 * noticed, and ends by a quiet spell, so that the slow ones among them are still counted in, or when all of them are up
 * again. Whether it is them or the agent itself, the anchors say: if it is the agent, there was no episode.
 */
export interface Episode {
  /** What its incidents have in common. */
  readonly id: string;
  /** Monotonic ms at which it was last seen going on. */
  readonly seenAt: number;
  /** Names of those that fail in it: it is over when all of them are up. The first one was not, when last looked at. */
  readonly failing: readonly string[];
}

/** So many at once, and half of all, are no coincidence. */
const MASS = 3;
/** What few have been asked since the first failure says nothing of the others: a quarter of all is enough. */
const HEARD = 0.25;
/** As long without another sign ends it, ms: most targets are asked more often than that. */
const QUIET_MS = 60_000;

/** Whether half of those that were heard of since the first failure fail: the others have not been asked yet. */
export function isMass(fleet: readonly Failing[], now: number): boolean {
  return failTogether(fleet, now, { least: MASS, share: 0.5 }) === true;
}

/**
 * Whether at least so many, and such a share of those that were heard of since the first failure, fail; null where too few
 * were heard to tell. Who has gone down lately fails, too.
 */
export function failTogether(
  group: readonly Failing[],
  now: number,
  { least, share }: { readonly least: number; readonly share: number },
): boolean | null {
  const failingSince = group.flatMap((health) => failsSince(health, now) ?? []);
  if (failingSince.length === 0) return false;
  const firstAt = failingSince.reduce((first, at) => Math.min(first, at));
  const heard = group.filter(({ judgedAt }) => judgedAt >= firstAt).length;
  if (heard < group.length * HEARD) return null;
  return failingSince.length >= least && failingSince.length >= heard * share;
}

type Failing = Pick<Health, 'state' | 'evidence' | 'judgedAt' | 'flaps'>;

/** Monotonic ms from which it fails, as far as it may be one of many; null where it does not. */
export function failsSince({ state, evidence, flaps }: Failing, now: number): number | null {
  if (state === 'suspect') return evidence.path?.since ?? now;
  return state === 'down' && now - flaps.at < QUIET_MS ? flaps.at : null;
}

/**
 * Once more many fail together: `failing` has their names. Times are monotonic ms, and wall clock ms for its name. The
 * episode is one that is under way.
 */
export function withMass(
  episode: Episode | null,
  { now, wall, failing }: { now: number; wall: number; failing: readonly string[] },
): Episode {
  return {
    id: episode?.id ?? `mass-${wall.toString(36)}`,
    seenAt: now,
    failing: [...new Set([...(episode?.failing ?? []), ...failing])],
  };
}

/** Null where none is under way. */
export function current(
  episode: Episode | null,
  now: number,
  isUp: (name: string) => boolean,
): Episode | null {
  if (!episode || now - episode.seenAt >= QUIET_MS) return null;
  const first = episode.failing.findIndex((name) => !isUp(name));
  if (first === -1) return null;
  // Those that are up need not be looked at again: there may be thousands, and this is asked at each attempt.
  return first === 0 ? episode : { ...episode, failing: episode.failing.slice(first) };
}
