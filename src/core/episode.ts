import type { Health } from './health.ts';

/**
 * Many targets that fail together fail of one cause: their incidents belong together. An episode begins when that is
 * noticed, and ends by a quiet spell, so that the slow ones among them are still counted in. Whether it is them or the
 * agent itself, the anchors say: if it is the agent, no incident opens that could belong to it.
 */
export interface Episode {
  /** What its incidents have in common. */
  readonly id: string;
  /** Monotonic ms at which it was last seen going on. */
  readonly seenAt: number;
}

/** So many at once, and half of all, are no coincidence. */
const MASS = 3;
/** What few have been asked since the first failure says nothing of the others: a quarter of all is enough. */
const HEARD = 0.25;
/** As long without another sign ends it, ms: most targets are asked more often than that. */
const QUIET_MS = 60_000;

/**
 * Whether half of those that were heard of since the first failure fail: the others have not been asked yet. Who has gone
 * down lately fails with them.
 */
export function isMass(fleet: readonly Failing[], now: number): boolean {
  const failingSince = fleet.flatMap(({ state, evidence, flaps }) =>
    state === 'suspect'
      ? [evidence.path?.since ?? now]
      : state === 'down' && now - flaps.at < QUIET_MS
        ? [flaps.at]
        : [],
  );
  if (failingSince.length < MASS) return false;
  const firstAt = failingSince.reduce((first, at) => Math.min(first, at));
  const heard = fleet.filter(({ judgedAt }) => judgedAt >= firstAt).length;
  return heard >= fleet.length * HEARD && failingSince.length * 2 >= heard;
}

type Failing = Pick<Health, 'state' | 'evidence' | 'judgedAt' | 'flaps'>;

/** Once more many fail together. Times are monotonic ms, and wall clock ms for its name. */
export function withMass(episode: Episode | null, { now, wall }: { now: number; wall: number }): Episode {
  return { id: current(episode, now)?.id ?? `mass-${wall.toString(36)}`, seenAt: now };
}

/** Null where none is under way. */
export function current(episode: Episode | null, now: number): Episode | null {
  return episode && now - episode.seenAt < QUIET_MS ? episode : null;
}
