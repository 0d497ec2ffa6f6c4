import type { Agent } from '../agent.ts';
import { type Explained, explanationRoute } from '../api/explanation.ts';
import { groupsRoute } from '../api/groups.ts';
import { incidentRoutes } from '../api/incidents.ts';
import { membersRoute } from '../api/members.ts';
import { pauseRoutes } from '../api/pauses.ts';
import { recoveryRoutes, recoveryStatus } from '../api/recovery.ts';
import type { Route } from '../api/routes.ts';
import { statusRoutes } from '../api/status.ts';
import type { Config } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { Store } from '../core/store.ts';

/** What is asked; agent and configuration are there once the listener is. */
export interface Running extends Pick<Explained, 'history'> {
  readonly clock: Clock;
  readonly store: Store;
  /** Wall clock ms; undefined until a configuration is in force. */
  startedAt(): number | undefined;
  config(): Config;
  agent(): Agent;
}

/** Everything that the running agent can be asked, and told to do. */
export function routesOf({ clock, startedAt, config, agent, store, history }: Running): Route[] {
  const { now, wallTime } = clock;
  const targets = (): Config['targets'] => config().targets;
  return [
    ...statusRoutes({
      wallTime,
      startedAt,
      targets,
      snapshot: () => agent().snapshot(),
      doubt: () => agent().doubt(),
      store: () => store.status(),
    }),
    explanationRoute({
      targets,
      history,
      view: (target) => agent().view(target),
      recovery: (target) => recoveryStatus(agent().recovery.standing(target), now()),
    }),
    ...incidentRoutes(store, wallTime),
    ...recoveryRoutes({
      wallTime,
      targets,
      acknowledge: (target, by) => agent().recovery.acknowledge(target, by),
      switchOff: (why, by) => agent().recovery.switchOff(why, by),
      off: () => agent().recovery.off(),
      commit: store.commit,
    }),
    membersRoute({
      wallTime,
      publication: (group) => agent().published.publication(group),
      groupNames: () => config().groups.map(({ name }) => name),
    }),
    groupsRoute({ wallTime, groups: () => agent().groups() }),
    ...pauseRoutes({
      now,
      wallTime,
      targets,
      pause: (wish) => agent().quiet.pause(wish),
      resume: (scope, by) => agent().quiet.resume(scope, by),
      pauses: () => agent().quiet.pauses(),
      windows: () => agent().quiet.windows(),
      commit: store.commit,
    }),
  ];
}
