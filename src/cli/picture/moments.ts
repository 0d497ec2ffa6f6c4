import { formatDuration } from '../../core/units.ts';

/** Times as a person reads them: on the clock, and from now. */
export interface Moments {
  /** The local time of day of a moment so many ms from now; with its date where that is not today's. */
  at(inMs: number): string;
  /** The same of a wall clock time, ms. */
  clock(wall: number): string;
  /** `in 3.2s`, `now`, `3.2s ago` */
  until(inMs: number): string;
}

export function momentsFrom(now: number): Moments {
  function clock(wall: number): string {
    const moment = new Date(wall);
    const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(':');
    if (moment.toDateString() === new Date(now).toDateString()) return time;
    return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`;
  }
  return {
    clock,
    at: (inMs) => clock(now + inMs),
    until: (inMs) => (inMs > 0 ? `in ${brief(inMs)}` : inMs === 0 ? 'now' : `${brief(-inMs)} ago`),
  };
}

/** Tenths of a second are as much as anybody reads. */
export function brief(ms: number): string {
  return formatDuration(ms < 1_000 || ms >= 60_000 ? ms : Math.round(ms / 100) * 100);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
