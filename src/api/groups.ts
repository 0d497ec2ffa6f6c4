import { type Group, type GroupHealth, type Rollup, groupIncidentId } from '../core/group.ts';
import { type Route, fine, iso } from './routes.ts';

/** What of the agent has to do with groups. */
export interface Grouping {
  wallTime(): number;
  groups(): readonly {
    readonly group: Group;
    readonly health: GroupHealth;
    readonly rollup: Rollup;
    readonly unavailable: readonly string[];
    readonly hushed: string | null;
  }[];
}

/** The answer to `GET /api/v1/groups`. Its keys are a contract: they stay. */
export interface GroupsAnswer {
  readonly at: string;
  readonly groups: readonly GroupStatus[];
}

export interface GroupStatus {
  readonly group: string;
  readonly state: Rollup['state'];
  readonly paused: boolean;
  readonly since: string;
  readonly incident: string | null;
  readonly at_least: number;
  readonly targets: number;
  readonly available: number;
  readonly unknown: number;
  /** Names of its targets that are not available. */
  readonly unavailable: readonly string[];
}

export function groupsRoute(agent: Grouping): Route {
  return {
    method: 'GET',
    path: '/api/v1/groups',
    answer: () =>
      fine({
        at: iso(agent.wallTime()),
        groups: agent.groups().map(({ group, health, rollup, unavailable, hushed }) => ({
          group: group.name,
          state: rollup.state,
          paused: hushed !== null,
          since: iso(health.since),
          incident: health.incidentAt === null ? null : groupIncidentId(group.name, health.incidentAt),
          at_least: group.atLeast,
          targets: group.members.length,
          available: rollup.available,
          unknown: rollup.unknown,
          unavailable,
        })),
      } satisfies GroupsAnswer),
  };
}
