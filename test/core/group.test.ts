import { describe, expect, test } from 'vitest';
import { availabilityOf, judgeGroup, rollUp, standingOf, unknownGroup } from '../../src/core/group.ts';

test.each([
  ['unknown', false, 'unknown'],
  ['up', false, 'available'],
  ['suspect', false, 'available'],
  ['down', false, 'unavailable'],
  ['recovering', false, 'unavailable'],
  ['unknown', true, 'unknown'],
  ['up', true, 'available'],
  ['down', true, 'available'],
  ['recovering', true, 'available'],
] as const)('%s, held back: %s, counts as %s', (state, held, expected) => {
  expect(availabilityOf(state, { held })).toBe(expected);
});

describe('a group of three', () => {
  test.each([
    // all of them are needed: the worst one decides
    [3, 3, 0, 0, 'up'],
    [3, 2, 1, 0, 'down'],
    [3, 2, 0, 1, 'unknown'],
    [3, 0, 1, 2, 'down'],
    [3, 0, 0, 3, 'unknown'],
    // two of them are enough
    [2, 3, 0, 0, 'up'],
    [2, 2, 1, 0, 'up'],
    [2, 2, 0, 1, 'up'],
    [2, 1, 1, 1, 'unknown'],
    [2, 1, 2, 0, 'down'],
    [2, 0, 2, 1, 'down'],
    [2, 0, 1, 2, 'unknown'],
    [2, 0, 3, 0, 'down'],
    // one of them is
    [1, 1, 2, 0, 'up'],
    [1, 0, 2, 1, 'unknown'],
    [1, 0, 3, 0, 'down'],
  ] as const)(
    'at least %i: %i available, %i unavailable, %i unknown is %s',
    (atLeast, available, unavailable, unknown, state) => {
      const counts = { available, unavailable, unknown };
      expect(rollUp(atLeast, counts)).toEqual({ state, ...counts });
    },
  );
});

describe('what is told of a group', () => {
  /** A letter a step: `u` up, `d` down, `?` unknown; capitals, and `!`, as long as openings are held back. */
  function told(script: string): string {
    let health = unknownGroup(0);
    return script
      .split('')
      .map((letter, step) => {
        const state = letter === '?' || letter === '!' ? 'unknown' : /u/i.test(letter) ? 'up' : 'down';
        const next = judgeGroup(health, state, {
          name: 'web',
          hushed: 'UD!'.includes(letter),
          episode: null,
          at: step,
        });
        ({ health } = next);
        return next.telling.map(({ event, incident }) => `${event} ${incident}`).join('+') || '-';
      })
      .join(', ');
  }

  test.each([
    ['?uudu', '-, -, -, down group:web-3, up group:web-3'],
    ['?d?du', '-, down group:web-1, -, -, up group:web-1'],
    ['uDDu', '-, -, -, -'],
    ['uDDd', '-, -, -, down group:web-1'],
    ['udDU', '-, down group:web-1, -, up group:web-1'],
  ])('%s: %s', (script, line) => expect(told(script)).toBe(line));

  test('the same object where nothing has changed', () => {
    const at = { name: 'web', hushed: false, episode: null, at: 5 };
    const { health } = judgeGroup(unknownGroup(0), 'down', at);
    expect(health).toMatchObject({ state: 'down', since: 5, incidentAt: 5 });
    expect(judgeGroup(health, 'down', { ...at, at: 9 }).health).toBe(health);
  });
});

test.each([
  [3, 3, [], '3 of 3 available, all are needed'],
  [2, 1, ['b', 'c'], '1 of 3 available, 2 are needed; not b, c'],
  [1, 0, ['a', 'b', 'c'], '0 of 3 available, 1 is needed; not a, b, c'],
])('at least %i, %i available: %j', (atLeast, available, unavailable, text) => {
  const group = { name: 'g', members: ['a', 'b', 'c'], atLeast, notify: [] };
  const rollup = rollUp(atLeast, { available, unavailable: unavailable.length, unknown: 0 });
  expect(standingOf(group, rollup, unavailable)).toBe(text);
});

test('of many only some are named', () => {
  const members = Array.from({ length: 12 }, (_, n) => `m${n}`);
  const rollup = rollUp(1, { available: 0, unavailable: 12, unknown: 0 });
  expect(standingOf({ name: 'g', members, atLeast: 1, notify: [] }, rollup, members)).toBe(
    '0 of 12 available, 1 is needed; not m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more',
  );
});
