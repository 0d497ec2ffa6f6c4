import { whyDegraded } from './degraded.ts';
import type { Circumstances, Health, State } from './health.ts';
import type { HookEventName } from './hook.ts';
import { incidentId } from './incident.ts';
import type { Attempt } from './outcome.ts';
import type { Subject } from './pause.ts';
import type { Purpose } from './purpose.ts';
import type { Target } from './target.ts';
import { type Holds, type Told, tell } from './told.ts';
import { formatDuration } from './units.ts';

/** Whom news is of: a target, or a group as a whole. */
export interface NewsSubject extends Subject, Pick<Target, 'labels' | 'notify' | 'recover'> {
  readonly purpose: Purpose | null;
  readonly probe: Pick<Target['probe'], 'kind'>;
}

/** What the world is told of a target, or of a group. */
export interface News {
  readonly event: HookEventName;
  readonly incident: string | null;
  /** What the incident has in common with others that opened as many targets failed: the id of an episode. */
  readonly correlated: string | null;
  /** How often this incident had been told as over before, as far as it is about one. */
  readonly relapses: number;
  readonly from: State;
  readonly state: State;
  readonly message: string;
  /** Wall clock ms. */
  readonly at: number;
  /** The attempt that it is due to. */
  readonly attempt: Attempt;
}

export const NO_NEWS: readonly News[] = [];

/** What the world might be told of it now. */
export function holdsOf({ incidentAt, degradation, flaps }: Health, target: string): Holds {
  return {
    incident: incidentAt === null ? null : incidentId(target, incidentAt),
    degraded: degradation.because !== null,
    flapping: flaps.flapping,
  };
}

/** What is told after an attempt that made `after` of `before`. */
export function newsOf(
  before: Health,
  after: Health,
  attempt: Attempt,
  { target, at, episode, hushed, unreachable, doubt, slowMs }: Circumstances,
): { readonly told: Told; readonly news: readonly News[] } {
  const { because } = after.degradation;
  const isHushed = hushed || unreachable || doubt.doubtful;
  const { told, telling } = tell(after.told, holdsOf(after, target), isHushed, episode);
  if (telling.length === 0) return { told, news: NO_NEWS };
  const { outcome, latencyMs } = attempt;
  const complaint =
    because === null
      ? ''
      : whyDegraded(because, outcome, formatDuration(latencyMs), formatDuration(slowMs ?? 0), after.recent);
  const news = telling.map(({ event, incident, correlated }): News => ({
    event,
    incident,
    correlated,
    relapses: incident === null ? 0 : after.lastIncident.relapses,
    from: before.state,
    state: after.state,
    message: event === 'degraded' ? complaint : outcome.message,
    at,
    attempt,
  }));
  return { told, news };
}
