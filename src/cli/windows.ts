import type { Maintenance } from '../core/pause.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import { windowAt } from '../runtime/calendar.ts';

/** `maintenance "patches": 3 targets, Sun 2026-11-29 03:00-05:00 Europe/Berlin, in 3d7h` */
export function windowLine(entry: Maintenance, now: number): string {
  const { isOpen, from, until } = windowAt(entry, now);
  const count = formatCount(entry.targets.length, 'target');
  const when = `${dayAndTime(from, entry.zone)}-${endOf(from, until, entry.zone)} ${entry.zone}`;
  const distance = isOpen ? `now, ${formatDuration(until - now)} left` : `in ${formatDuration(from - now)}`;
  return `maintenance "${entry.reason}": ${count}, ${when}, ${distance}`;
}

/** Without the day where it is the same one. */
function endOf(from: number, until: number, zone: string): string {
  const day = dayAndTime(from, zone).slice(0, -'00:00'.length);
  const end = dayAndTime(until, zone);
  return end.startsWith(day) ? end.slice(day.length) : end;
}

/** `Sun 2026-11-29 03:00`, as the clocks there show it. */
function dayAndTime(ms: number, zone: string): string {
  const date = new Date(ms);
  const day = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' }).format(date);
  // Sweden writes its dates as ISO 8601 has them.
  const time = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  return `${day} ${time.format(date)}`;
}

/** `2026-11-29 03:00:00`, as the clocks here show it. */
export function localTime(iso: string): string {
  return new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' }).format(new Date(iso));
}
