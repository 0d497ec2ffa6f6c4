import type { State } from './health.ts';
import { incidentId } from './incident.ts';
import type { NewsSubject } from './news.ts';
import { NOTHING_TOLD, type Telling, type Told, tell } from './told.ts';

/** Targets that stand in for each other, or are needed together. */
export interface Group {
  readonly name: string;
  /** Names of its targets; there is at least one. */
  readonly members: readonly string[];
  /** So many of them have to be available; all of them where nobody said otherwise. */
  readonly atLeast: number;
  /** Names of hooks that hear of the group's own incidents. */
  readonly notify: readonly string[];
  /** How long a member is out of traffic before anything is done about it, ms; 0 unless said. */
  readonly drainMs?: number;
  /** How long a member that was out has to be up before it is back in traffic, ms; 0 unless said. */
  readonly warmMs?: number;
}

/** How one member counts. */
export type Availability = 'available' | 'unavailable' | 'unknown';

/** How a group stands: the worst of its members where all are needed, else whether there are enough of them. */
export interface Rollup extends Readonly<Record<Availability, number>> {
  readonly state: 'unknown' | 'up' | 'down';
}

/**
 * A suspect counts as available: it takes a verdict to take one away. So does a member whose incident nobody was told of
 * because it is paused: it counts as it last stood.
 */
export function availabilityOf(state: State, { held }: { readonly held: boolean }): Availability {
  switch (state) {
    case 'unknown':
      return 'unknown';
    case 'up':
    case 'suspect':
      return 'available';
    case 'down':
    case 'recovering':
      return held ? 'available' : 'unavailable';
  }
}

/** What is unknown may turn out either way: while that could decide it, the group is unknown, too. */
export function rollUp(atLeast: number, counts: Readonly<Record<Availability, number>>): Rollup {
  const { available, unavailable, unknown } = counts;
  const state = available >= atLeast ? 'up' : available + unknown < atLeast ? 'down' : 'unknown';
  return { state, available, unavailable, unknown };
}

/** What is believed of a group. */
export interface GroupHealth {
  readonly state: Rollup['state'];
  /** Wall clock ms of the last change of state. */
  readonly since: number;
  /** Wall clock ms at which its open incident began; it stays until there are enough again. */
  readonly incidentAt: number | null;
  readonly told: Told;
}

export function unknownGroup(at: number): GroupHealth {
  return { state: 'unknown', since: at, incidentAt: null, told: NOTHING_TOLD };
}

/** A group may be called as one of its targets is. */
export function groupIncidentId(name: string, openedAt: number): string {
  return incidentId(`group:${name}`, openedAt);
}

/**
 * What becomes of it, at `at`, wall clock ms, and what is told. What cannot be known closes no incident. The same object
 * where nothing has changed.
 */
export function judgeGroup(
  health: GroupHealth,
  state: Rollup['state'],
  {
    name,
    hushed,
    episode,
    at,
  }: {
    readonly name: string;
    readonly hushed: boolean;
    readonly episode: string | null;
    readonly at: number;
  },
): { readonly health: GroupHealth; readonly telling: readonly Telling[] } {
  const incidentAt = state === 'up' ? null : state === 'down' ? (health.incidentAt ?? at) : health.incidentAt;
  const incident = incidentAt === null ? null : groupIncidentId(name, incidentAt);
  const holds = { incident, degraded: false, flapping: false };
  const { told, telling } = tell(health.told, holds, hushed, episode);
  if (state === health.state && incidentAt === health.incidentAt && told === health.told) {
    return { health, telling };
  }
  const since = state === health.state ? health.since : at;
  return { health: { state, since, incidentAt, told }, telling };
}

/** `1 of 3 available, 2 are needed; not web-1, web-3` */
export function standingOf(
  { atLeast, members }: Group,
  { available }: Rollup,
  unavailable: readonly string[],
): string {
  const needed = atLeast === members.length ? 'all are' : atLeast === 1 ? '1 is' : `${atLeast} are`;
  const counts = `${available} of ${members.length} available, ${needed} needed`;
  if (unavailable.length === 0) return counts;
  const named = unavailable.slice(0, MOST_NAMED).join(', ');
  const more = unavailable.length - MOST_NAMED;
  return `${counts}; not ${named}${more > 0 ? ` and ${more} more` : ''}`;
}

const MOST_NAMED = 10;

/** The group as one that news is of. */
export function subjectOf({ name, notify }: Group): NewsSubject {
  return {
    kind: 'group',
    name,
    group: name,
    labels: {},
    purpose: null,
    probe: { kind: 'group' },
    notify,
    recover: [],
  };
}
