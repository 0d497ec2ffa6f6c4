import { describe, expect, it } from 'vitest';
import {
  BRAKES,
  type BrakeView,
  type Panic,
  type Start,
  braked,
  coolDown,
  dayIsUsedUp,
  panicOf,
  relevantStarts,
} from '../../src/core/brakes.ts';
import { randomFrom } from '../support/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 100 * HOUR;

const FREE: BrakeView = {
  target: 't',
  now: NOW,
  startedAt: 0,
  pausedAt: -Infinity,
  heardBy: NOW + 5,
  coolUntil: null,
  ackedAt: null,
  asks: false,
  starts: [],
  group: { name: 'g', size: 30, bad: 1, active: 0, panic: null, together: false },
};

/** Starts so many ms ago, by default of the target itself. */
function ago(times: readonly number[], rest: Partial<Start> = {}): Start[] {
  return times.map((ms) => ({ target: 't', group: 'g', asks: false, ...rest, at: NOW - ms }));
}

const own = ago([40 * MINUTE, 29 * MINUTE, 20 * MINUTE, 10 * MINUTE]);
const panic: Panic = { since: 0, calmSince: null, acked: false };

describe('a brake holds', () => {
  const rows: [string, Partial<BrakeView>, string[], number | null][] = [
    ['nothing where there is no reason to', {}, [], null],
    ['after the start of the agent', { startedAt: NOW - 29_999 }, ['start_grace'], NOW + 1],
    ['not once the grace is over', { startedAt: NOW - 30_000 }, [], null],
    ['after the agent stood still', { pausedAt: NOW - 10_000 }, ['doubt'], NOW + 20_000],
    ['while it cools down', { coolUntil: NOW + 5 }, ['cool_down'], NOW + 5],
    ['not once it has cooled down', { coolUntil: NOW }, [], null],
    ['after three attempts in the window', { starts: own }, ['attempts'], NOW + MINUTE],
    ['not with two in the window', { starts: own.slice(0, 3) }, [], null],
    ['not with three before somebody looked', { starts: own, ackedAt: NOW - MINUTE }, [], null],
    ['not one who asks others, for the window', { starts: own, asks: true }, [], null],
    [
      'not for asking others three times',
      { starts: ago([29 * MINUTE, 20 * MINUTE, 10 * MINUTE], { asks: true }) },
      [],
      null,
    ],
    [
      'after ten attempts in a day, who asks others too',
      { starts: ago([...Array(10).keys()].map((n) => (n + 1) * HOUR)), asks: true },
      ['attempts'],
      NOW + 14 * HOUR,
    ],
    ['in a panic', { group: { ...FREE.group, panic } }, ['panic'], null],
    ['while those of the group fail together', { group: { ...FREE.group, together: true } }, ['panic'], null],
    ['until enough of it were heard', { group: { ...FREE.group, together: null } }, ['panic'], NOW + 5],
    ['and no longer than that', { group: { ...FREE.group, together: null }, heardBy: NOW }, [], null],
    ['not for that in a pair', { group: { ...FREE.group, size: 2, together: true } }, [], null],
    [
      'not in a panic that somebody has looked at',
      { group: { ...FREE.group, panic: { ...panic, acked: true } } },
      [],
      null,
    ],
    ['at a tenth of the group', { group: { ...FREE.group, active: 3 } }, ['share'], null],
    ['not below a tenth', { group: { ...FREE.group, active: 2 } }, [], null],
    ['not the first of a small group', { group: { ...FREE.group, size: 5 } }, [], null],
    ['the second of a small group', { group: { ...FREE.group, size: 5, active: 1 } }, ['share'], null],
    [
      'just after another of the group',
      { starts: ago([20_000], { target: 'u' }) },
      ['group_rate'],
      NOW + 10_000,
    ],
    ['not just after one of another group', { starts: ago([20_000], { target: 'u', group: 'h' }) }, [], null],
    [
      'after six of all groups',
      {
        starts: ago(
          [1, 2, 3, 4, 5, 6].map((n) => n * MINUTE),
          { target: 'u', group: 'h' },
        ),
      },
      ['overall_rate'],
      NOW + 4 * MINUTE,
    ],
    [
      'several at once, each by its name',
      { startedAt: NOW, coolUntil: NOW + 5, group: { ...FREE.group, panic, active: 3 } },
      ['start_grace', 'panic', 'cool_down', 'share'],
      NOW + 30_000,
    ],
  ];
  it.each(rows)('%s', (_what, change, gates, until) => {
    const holds = braked({ ...FREE, ...change }, BRAKES);
    expect(holds.map(({ gate }) => gate)).toEqual(gates);
    if (gates.length > 0) expect(holds[0]?.until).toBe(until);
  });

  it('is free at the time that it said, and not before', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 300; round++) {
      const starts = ago(
        Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() * 26 * HOUR)),
      );
      const untils = braked({ ...FREE, starts }, BRAKES).map(({ until }) => until!);
      if (untils.length === 0) continue;
      const free = Math.max(...untils);
      expect(braked({ ...FREE, starts, now: free }, BRAKES)).toEqual([]);
      expect(braked({ ...FREE, starts, now: free - 1 }, BRAKES)).not.toEqual([]);
    }
  });
});

it('the day of a target is used up by ten attempts', () => {
  const starts = ago([...Array(10).keys()].map((n) => n * HOUR));
  expect(dayIsUsedUp({ ...FREE, starts }, BRAKES)).toBe(true);
  expect(dayIsUsedUp({ ...FREE, starts: starts.slice(1) }, BRAKES)).toBe(false);
  expect(dayIsUsedUp({ ...FREE, starts, ackedAt: NOW - HOUR / 2 }, BRAKES)).toBe(false);
});

it('starts of more than a day ago are forgotten', () => {
  const starts = ago([23 * HOUR, 24 * HOUR, 25 * HOUR]);
  expect(relevantStarts(starts, NOW)).toEqual(starts.slice(0, 1));
});

it('a cool-down doubles up to its longest, a fifth to either side', () => {
  const between = (nth: number): number[] =>
    [0, 0.5, 1].map((random) => Math.round(coolDown(nth, random, BRAKES) / 1_000));
  expect(between(1)).toEqual([48, 60, 72]);
  expect(between(2)).toEqual([96, 120, 144]);
  expect(between(4)).toEqual([384, 480, 576]);
  expect(between(5)).toEqual([720, 900, 1080]);
  expect(between(50)).toEqual([720, 900, 1080]);
});

describe('a panic', () => {
  const rows: [string, number, number, boolean][] = [
    ['begins at half of a group', 10, 5, true],
    ['not below', 10, 4, false],
    ['at two of three', 3, 2, true],
    ['not at one of three', 3, 1, false],
    ['not in a pair', 2, 2, false],
    ['not alone', 1, 1, false],
  ];
  it.each(rows)('%s', (_what, size, bad, begins) => {
    expect(panicOf(null, { size, bad }, 7, BRAKES)).toEqual(
      begins ? { since: 7, calmSince: null, acked: false } : null,
    );
  });

  it('ends after two minutes below 40 %, and not at it', () => {
    const begun = panicOf(null, { size: 10, bad: 6 }, 0, BRAKES);
    expect(panicOf(begun, { size: 10, bad: 4 }, 10, BRAKES)).toBe(begun);
    const calm = panicOf(begun, { size: 10, bad: 3 }, 10, BRAKES);
    expect(calm).toMatchObject({ since: 0, calmSince: 10 });
    expect(panicOf(calm, { size: 10, bad: 3 }, 10 + 2 * MINUTE - 1, BRAKES)).toBe(calm);
    expect(panicOf(calm, { size: 10, bad: 4 }, 10 + MINUTE, BRAKES)).toEqual(begun);
    expect(panicOf(calm, { size: 10, bad: 3 }, 10 + 2 * MINUTE, BRAKES)).toBeNull();
  });

  it('ends in a group that has become too small for one', () => {
    const calm = panicOf(panic, { size: 2, bad: 2 }, 10, BRAKES);
    expect(panicOf(calm, { size: 2, bad: 2 }, 10 + 2 * MINUTE, BRAKES)).toBeNull();
  });
});
