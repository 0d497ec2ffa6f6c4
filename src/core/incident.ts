/** The same for as long as the incident lasts; unique per target, and sorts by time: `orders-api-mh9x2k1c`. */
export function incidentId(target: string, openedAt: number): string {
  return `${target}-${openedAt.toString(36)}`;
}

/** Wall clock ms at which this incident began. */
export function openedAt(incident: string): number {
  return Number.parseInt(incident.slice(incident.lastIndexOf('-') + 1), 36);
}
