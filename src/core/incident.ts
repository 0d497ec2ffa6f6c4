/** Down again within this time of being up goes on with the incident, ms. */
export const PROBATION_MS = 10 * 60_000;

/** The incident that is open, or was last. */
export interface LastIncident {
  /** Wall clock ms at which it began; null: there was none. */
  readonly at: number | null;
  /** How often it was closed and went on. */
  readonly relapses: number;
}

export const NO_INCIDENT: LastIncident = { at: null, relapses: 0 };

/** The incident of a target that goes down at `at`, wall clock ms, after being up for so many ms: a relapse goes on with the last. */
export function incidentAfter(last: LastIncident, upForMs: number, at: number): LastIncident {
  const isRelapse = last.at !== null && upForMs < PROBATION_MS;
  return isRelapse ? { ...last, relapses: last.relapses + 1 } : { at, relapses: 0 };
}

/** The same for as long as the incident lasts; unique per target, and sorts by time: `orders-api-mh9x2k1c`. */
export function incidentId(target: string, openedAt: number): string {
  return `${target}-${openedAt.toString(36)}`;
}

/** Wall clock ms at which this incident began. */
export function openedAt(incident: string): number {
  return Number.parseInt(incident.slice(incident.lastIndexOf('-') + 1), 36);
}

/** What it is told by: each time that it begins, or is over, has one of its own. */
export function tellingId(incident: string, event: string, relapses: number): string {
  return `${incident}/${event}${relapses > 0 ? `-${relapses + 1}` : ''}`;
}
