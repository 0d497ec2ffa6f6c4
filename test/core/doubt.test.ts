import { describe, expect, test } from 'vitest';
import { type Doubt, NO_DOUBT, type Trouble, calmed, troubled } from '../../src/core/doubt.ts';

/** Troubles with their times in seconds. */
function after(...troubles: readonly (readonly [Trouble, number])[]): Doubt {
  return troubles.reduce((doubt, [trouble, second]) => troubled(doubt, trouble, second * 1_000), NO_DOUBT);
}

describe('the score', () => {
  test.each<[string, readonly (readonly [Trouble, number])[], number, boolean]>([
    ['a stall', [['stall', 0]], 1, false],
    [
      'many stalls at once are one',
      [
        ['stall', 0],
        ['stall', 1],
        ['stall', 4.9],
      ],
      1,
      false,
    ],
    [
      'stalls that go on add up',
      [
        ['stall', 0],
        ['stall', 4],
        ['stall', 8],
        ['stall', 12],
      ],
      2,
      false,
    ],
    ['a pause', [['pause', 0]], 3, false],
    [
      'a pause with a stall is doubtful',
      [
        ['pause', 0],
        ['stall', 0],
      ],
      4,
      true,
    ],
    ['anchors lost is doubtful alone', [['anchors lost', 0]], 4, true],
    [
      'no more than 7',
      [
        ['anchors lost', 0],
        ['pause', 0],
        ['clock step', 0],
      ],
      7,
      true,
    ],
  ])('%s', (_what, troubles, score, doubtful) => {
    expect(after(...troubles)).toMatchObject({ score, doubtful });
  });
});

describe('calm', () => {
  test.each([
    [4.9, 4, true],
    [5, 3, true],
    [20, 0, true],
    [29.9, 0, true],
    [30, 0, false],
  ])('%d s after the anchors were lost: score %d, doubtful %s', (second, score, doubtful) => {
    expect(calmed(after(['anchors lost', 0]), second * 1_000)).toMatchObject({ score, doubtful });
  });

  test('the clean time begins anew with each trouble', () => {
    const doubt = after(['anchors lost', 0], ['stall', 29]);
    expect(calmed(doubt, 31_000).doubtful).toBe(true);
    expect(calmed(doubt, 59_000).doubtful).toBe(false);
  });

  test('asked often or seldom, it comes to the same', () => {
    let often = after(['pause', 0], ['stall', 1]);
    const seldom = often;
    for (let second = 1; second <= 17; second++) often = calmed(often, second * 1_000);
    expect(often.score).toBe(calmed(seldom, 17_000).score);
  });

  test('without trouble it is the very same object', () => {
    expect(calmed(NO_DOUBT, 1_000)).toBe(NO_DOUBT);
  });
});
