import { describe, expect, test } from 'vitest';
import { windowAt } from '../../src/runtime/calendar.ts';
import type { Maintenance } from '../../src/core/pause.ts';

const HOUR = 3_600_000;

function weekly(rest: Partial<Maintenance> = {}): Maintenance {
  return {
    reason: 'patches',
    cron: '0 3 * * sun',
    zone: 'Europe/Berlin',
    forMs: 2 * HOUR,
    targets: ['a'],
    groups: ['g'],
    ...rest,
  };
}

const wall = (text: string): number => Date.parse(`${text}Z`);
const shown = (entry: Maintenance, at: string): string => {
  const { isOpen, from, until } = windowAt(entry, wall(at));
  const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  return `${isOpen ? 'open' : 'next'} ${iso(from)} to ${iso(until)}`;
};

describe('a window is open, or the next one', () => {
  test.each<[string, Partial<Maintenance>, string, string]>([
    ['on a Saturday', {}, '2026-01-03T12:00', 'next 2026-01-04T02:00 to 2026-01-04T04:00'],
    ['just before', {}, '2026-01-04T01:59:59.999', 'next 2026-01-04T02:00 to 2026-01-04T04:00'],
    ['at its beginning', {}, '2026-01-04T02:00', 'open 2026-01-04T02:00 to 2026-01-04T04:00'],
    ['at its last moment', {}, '2026-01-04T03:59:59.999', 'open 2026-01-04T02:00 to 2026-01-04T04:00'],
    ['at its end', {}, '2026-01-04T04:00', 'next 2026-01-11T02:00 to 2026-01-11T04:00'],
    ['in summer', {}, '2026-07-04T12:00', 'next 2026-07-05T01:00 to 2026-07-05T03:00'],
    ['elsewhere', { zone: 'Asia/Tokyo' }, '2026-01-03T12:00', 'next 2026-01-03T18:00 to 2026-01-03T20:00'],
    [
      'over midnight',
      { cron: '0 23 * * *' },
      '2026-01-04T23:30',
      'open 2026-01-04T22:00 to 2026-01-05T00:00',
    ],
    [
      'longer than its period, always',
      { cron: '0 * * * *' },
      '2026-01-04T03:30',
      'open 2026-01-04T03:00 to 2026-01-04T05:00',
    ],
    // 2026-03-29: 02:00 to 03:00 is left out. 2026-10-25: it comes twice.
    [
      'in the hour that is left out it begins right after',
      { cron: '30 2 * * *' },
      '2026-03-28T12:00',
      'next 2026-03-29T01:00 to 2026-03-29T03:00',
    ],
    [
      'over the hour that is left out it takes as long',
      { cron: '0 1 * * *' },
      '2026-03-29T00:30',
      'open 2026-03-29T00:00 to 2026-03-29T02:00',
    ],
    [
      'in the hour that comes twice it begins once',
      { cron: '30 2 * * *', forMs: HOUR / 2 },
      '2026-10-25T00:30',
      'open 2026-10-25T00:30 to 2026-10-25T01:00',
    ],
    [
      'and not again',
      { cron: '30 2 * * *', forMs: HOUR / 2 },
      '2026-10-25T01:30',
      'next 2026-10-26T01:30 to 2026-10-26T02:00',
    ],
  ])('%s', (_what, entry, at, expected) => expect(shown(weekly(entry), at)).toBe(expected));
});
