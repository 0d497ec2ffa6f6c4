import { Cron } from 'croner';
import type { Maintenance } from '../core/pause.ts';

/** From when to when, wall clock ms. */
export interface Window {
  readonly isOpen: boolean;
  readonly from: number;
  readonly until: number;
}

/** The window that is open at `wall`, or else the next one. A cron expression without one is refused at load. */
export function windowAt(
  { cron, zone, forMs }: Pick<Maintenance, 'cron' | 'zone' | 'forMs'>,
  wall: number,
): Window {
  const calendar = new Cron(cron, { timezone: zone, mode: '5-part' });
  // A run at this very moment is not yet a previous one.
  const last = calendar.previousRuns(1, new Date(wall + 1))[0]?.getTime();
  if (last !== undefined && wall < last + forMs) return { isOpen: true, from: last, until: last + forMs };
  const from = calendar.nextRun(new Date(wall))!.getTime();
  return { isOpen: false, from, until: from + forMs };
}
