import type { Clock } from '../core/clock.ts';
import {
  type Availability,
  type Group,
  type GroupHealth,
  type Rollup,
  availabilityOf,
  groupIncidentId,
  judgeGroup,
  rollUp,
  standingOf,
  subjectOf,
  unknownGroup,
} from '../core/group.ts';
import type { Health } from '../core/health.ts';
import type { Abandoned } from './keeper.ts';
import type { Observer } from '../core/observer.ts';
import type { Attempt } from '../core/outcome.ts';
import type { Subject } from '../core/pause.ts';
import type { Target } from '../core/target.ts';

/** How groups of targets stand as a whole, and what is told of that. */
export interface Groups {
  /** These from now on; one that was there before keeps its incident. The incidents that others leave open. */
  apply(groups: readonly Group[]): Abandoned[];
  /** After a target has been judged. */
  seen(target: Target, attempt: Attempt, health: Health): void;
  snapshot(): GroupSnapshot[];
  health(name: string): GroupHealth | undefined;
}

export interface GroupSnapshot {
  readonly group: Group;
  readonly health: GroupHealth;
  readonly rollup: Rollup;
  /** Names of the members that are not available. */
  readonly unavailable: readonly string[];
  /** Why openings are held back; null where they are not. */
  readonly hushed: string | null;
}

export interface GroupsOptions {
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly observer: Pick<Required<Observer>, 'onNews'>;
  readonly hushedBecause: (subject: Subject) => string | null;
  /** The agent does not know what it sees. */
  readonly isDoubtful: () => boolean;
  /** What was kept of the last run, and where groups are kept for the next one. */
  readonly rows: ReadonlyMap<string, GroupHealth>;
  readonly keep: (name: string, health: GroupHealth | null) => void;
  /** Id of the episode in which many targets fail together; null where none is under way. */
  readonly episode: () => string | null;
}

interface Standing {
  readonly group: Group;
  health: GroupHealth;
  /** How each member counts. Changed member by member: a group of hundreds hears of hundreds of attempts a second. */
  readonly members: Map<string, Availability>;
  counts: Readonly<Record<Availability, number>>;
}

export function createGroups(options: GroupsOptions): Groups {
  const { clock, observer, hushedBecause, isDoubtful, rows, keep, episode } = options;
  const standings = new Map<string, Standing>();

  function unavailableOf({ members }: Standing): string[] {
    return [...members].flatMap(([name, availability]) => (availability === 'unavailable' ? [name] : []));
  }

  function judged(standing: Standing, attempt: Attempt): void {
    const { group, counts } = standing;
    const subject = subjectOf(group);
    const rollup = rollUp(group.atLeast, counts);
    const before = standing.health;
    const at = clock.wallTime();
    const { health, telling } = judgeGroup(before, rollup.state, {
      name: group.name,
      hushed: isDoubtful() || hushedBecause(subject) !== null,
      episode: episode(),
      at,
    });
    if (health === before) return;
    standing.health = health;
    keep(group.name, health);
    const message = standingOf(group, rollup, unavailableOf(standing));
    for (const { event, incident, correlated } of telling) {
      observer.onNews(subject, {
        event,
        incident,
        correlated,
        relapses: 0,
        from: before.state,
        state: health.state,
        message,
        at,
        attempt,
      });
    }
  }

  return {
    apply(groups) {
      const before = new Map(standings);
      standings.clear();
      for (const group of groups) {
        const known = before.get(group.name);
        const members = new Map(
          group.members.map((name) => [name, known?.members.get(name) ?? ('unknown' as const)]),
        );
        const health = known?.health ?? rows.get(group.name) ?? unknownGroup(clock.wallTime());
        standings.set(group.name, { group, health, members, counts: countsOf(members) });
      }
      const known = [...before].map(([name, { health }]): [string, GroupHealth] => [name, health]);
      const gone = [...new Map([...rows, ...known])].filter(([name]) => !standings.has(name));
      for (const [name] of gone) keep(name, null);
      return gone.flatMap(([name, { incidentAt }]) =>
        incidentAt === null ? [] : [{ name, incident: groupIncidentId(name, incidentAt) }],
      );
    },
    seen(target, attempt, health) {
      const standing = target.group === undefined ? undefined : standings.get(target.group);
      const before = standing?.members.get(target.name);
      if (!standing || !before) return;
      // Nobody has heard of an incident that is held back: it does not take the group down either.
      const held = health.told.down === null && hushedBecause(target) !== null;
      const now = availabilityOf(health.state, { held });
      if (now !== before) {
        standing.members.set(target.name, now);
        standing.counts = {
          ...standing.counts,
          [before]: standing.counts[before] - 1,
          [now]: standing.counts[now] + 1,
        };
      }
      judged(standing, attempt);
    },
    health: (name) => standings.get(name)?.health,
    snapshot: () =>
      [...standings.values()].map((standing) => ({
        group: standing.group,
        health: standing.health,
        rollup: rollUp(standing.group.atLeast, standing.counts),
        unavailable: unavailableOf(standing),
        hushed: hushedBecause(subjectOf(standing.group)),
      })),
  };
}

function countsOf(members: ReadonlyMap<string, Availability>): Record<Availability, number> {
  const counts = { available: 0, unavailable: 0, unknown: 0 };
  for (const availability of members.values()) counts[availability]++;
  return counts;
}
