import type { HookEventName } from './hook.ts';

/** What the world was told of a target, and has not been told otherwise since. */
export interface Told {
  /** Id of the incident that was told as down. */
  readonly down: string | null;
  /** Id of the episode that this incident is part of. */
  readonly correlated: string | null;
  readonly degraded: boolean;
  readonly flapping: boolean;
}

/** What holds of it now. */
export interface Holds {
  /** Id of the open incident. */
  readonly incident: string | null;
  readonly degraded: boolean;
  readonly flapping: boolean;
}

export interface Telling {
  readonly event: HookEventName;
  /** The incident that it opens or closes. */
  readonly incident: string | null;
  /** What that incident has in common with others: the id of an episode. */
  readonly correlated: string | null;
}

export const NOTHING_TOLD: Told = { down: null, correlated: null, degraded: false, flapping: false };
const NOTHING: readonly Telling[] = [];

/** Whether what was told to have begun is over: known to be up, and not on record as told any more. */
export function isOver(
  { state, told }: { readonly state: string; readonly told: Told },
  { event, incident }: Pick<Telling, 'event' | 'incident'>,
): boolean {
  if (state !== 'up') return false;
  return event === 'down'
    ? told.down !== incident
    : !((event === 'degraded' || event === 'flapping') && told[event]);
}

/**
 * What the world is told next. What was opened is always closed, and at once. An opening waits while it is held back; what
 * does not hold any more by then was never told. While a target flaps, that is what was told of it, and each `down` is not.
 */
export function tell(
  told: Told,
  holds: Holds,
  isHushed: boolean,
  /** Id of the episode in which many targets fail: an incident that is told now is part of it. */
  episode: string | null = null,
): { readonly told: Told; readonly telling: readonly Telling[] } {
  const isTold =
    told.down === holds.incident && told.degraded === holds.degraded && told.flapping === holds.flapping;
  if (isTold) return { told, telling: NOTHING };
  const closed = {
    down: told.down !== holds.incident,
    degraded: told.degraded && !holds.degraded,
    flapping: told.flapping && !holds.flapping,
  };
  const down = told.down === holds.incident ? told.down : null;
  const opened = {
    flapping: !isHushed && holds.flapping && !told.flapping,
    down: !isHushed && !holds.flapping && holds.incident !== down,
    // Whoever was told that it is down, or flaps, is not told that it warns, too.
    degraded: !isHushed && holds.degraded && !told.degraded && holds.incident === null && !holds.flapping,
  };
  const telling: Telling[] = [];
  const correlated = down === null ? (opened.down ? episode : null) : told.correlated;
  if (closed.down && told.down !== null)
    telling.push({ event: 'up', incident: told.down, correlated: told.correlated });
  if (closed.flapping) telling.push({ event: 'settled', incident: holds.incident, correlated });
  if (closed.degraded) telling.push({ event: 'restored', incident: null, correlated: null });
  if (opened.flapping) telling.push({ event: 'flapping', incident: holds.incident, correlated });
  if (opened.down) telling.push({ event: 'down', incident: holds.incident, correlated });
  if (opened.degraded) telling.push({ event: 'degraded', incident: null, correlated: null });
  if (telling.length === 0) return { told, telling };
  return {
    told: {
      down: opened.down ? holds.incident : down,
      correlated,
      degraded: opened.degraded || (told.degraded && holds.degraded),
      flapping: opened.flapping || (told.flapping && holds.flapping),
    },
    telling,
  };
}

/** Something holds that the world has not been told, and that is told as a rule. */
export function isUntold(told: Told, { incident, degraded, flapping }: Holds): boolean {
  return (
    (incident !== null && incident !== told.down) ||
    (flapping && !told.flapping) ||
    (degraded && !told.degraded && incident === null && !flapping)
  );
}
