import { describe, expect, test } from 'vitest';
import { type Episode, current, failTogether, isMass, withMass } from '../../src/core/episode.ts';
import { NO_EVIDENCE, withFailure } from '../../src/core/evidence.ts';
import { NO_FLAPS, withDown } from '../../src/core/flapping.ts';

const WALL = Date.UTC(2026, 0, 1);
const at = (second: number, failing: readonly string[] = ['a', 'b', 'c']) => ({
  now: second * 1_000,
  wall: WALL + second * 1_000,
  failing,
});
const NONE = (): boolean => false;

test.each<[string, readonly number[], number, boolean]>([
  ['it goes on for a minute', [0], 59.9, true],
  ['a quiet spell ends it', [0], 60, false],
  ['another sign prolongs it', [0, 50], 109, true],
])('%s', (_what, seconds, second, goesOn) => {
  const episode = seconds.reduce<Episode | null>((episode, second) => withMass(episode, at(second)), null);
  expect(current(episode, second * 1_000, NONE)?.id ?? null).toBe(
    goesOn ? `mass-${WALL.toString(36)}` : null,
  );
});

test('it ends when all that failed in it are up, those of earlier signs included', () => {
  const episode = withMass(withMass(null, at(0)), at(10, ['c', 'd']));
  const up = (...names: string[]) => current(episode, 20_000, (name) => names.includes(name));
  expect(up()).toBe(episode);
  expect(up('a', 'b', 'd')?.failing).toEqual(['c', 'd']);
  expect(up('b', 'c', 'd')?.id).toBe(episode.id);
  expect(up('a', 'b', 'c', 'd')).toBeNull();
});

test('what comes after the quiet spell is another one', () => {
  const first = withMass(null, at(0));
  const again = (second: number) => withMass(current(first, second * 1_000, NONE), at(second)).id;
  expect(again(30)).toBe(first.id);
  expect(again(60)).not.toBe(first.id);
});

describe('many fail together', () => {
  /** Seconds: first failures of suspects, newest attempts of those that are up, verdicts of those that are down. */
  interface Fleet {
    readonly suspect: readonly number[];
    readonly up?: readonly number[];
    readonly down?: readonly number[];
  }
  function fleet({ suspect, up = [], down = [] }: Fleet): Parameters<typeof isMass>[0] {
    const one = (state: 'up' | 'suspect' | 'down', second: number) => {
      const at = second * 1_000;
      return {
        state,
        judgedAt: at,
        evidence: state === 'suspect' ? withFailure(NO_EVIDENCE, 'explicit', at) : NO_EVIDENCE,
        flaps: state === 'down' ? withDown(NO_FLAPS, at) : NO_FLAPS,
      };
    };
    return [
      ...suspect.map((second) => one('suspect', second)),
      ...up.map((second) => one('up', second)),
      ...down.map((second) => one('down', second)),
    ];
  }
  const times = (count: number, second: number): number[] => Array.from({ length: count }, () => second);

  test.each<[string, Fleet, boolean]>([
    ['all', { suspect: [10, 11, 12] }, true],
    ['two are not many', { suspect: [10, 11] }, false],
    ['half of them', { suspect: [10, 11, 12], up: times(3, 12) }, true],
    ['fewer than half', { suspect: [10, 11, 12], up: times(4, 12) }, false],
    ['half of those heard of since', { suspect: [10, 11, 12], up: times(7, 9) }, true],
    ['hardly any has been heard of yet', { suspect: [10, 11, 12], up: times(10, 9) }, false],
    ['one that has been suspect for long looks far back', { suspect: [0, 11, 12], up: times(7, 9) }, false],
    ['who went down lately is among them', { suspect: [12], up: [12], down: [10, 11] }, true],
    ['who went down long ago is not', { suspect: [72], up: [72], down: [1, 2] }, false],
  ])('%s', (_what, standing, expected) => {
    expect(isMass(fleet(standing), Math.max(...standing.suspect) * 1_000 + 1_000)).toBe(expected);
  });

  test.each<[string, Fleet, number, boolean | null]>([
    ['two of three', { suspect: [11], down: [10], up: [12] }, 0.5, true],
    ['one of three is alone', { suspect: [], down: [10], up: [12, 12] }, 0.5, false],
    ['one of which nobody was heard since', { suspect: [], down: [10], up: times(9, 5) }, 0.5, null],
    [
      'one, and a quarter of them are fine',
      { suspect: [], down: [10], up: [...times(6, 5), 11, 12] },
      0.5,
      false,
    ],
    ['half, where it takes all', { suspect: [11], down: [10], up: [12, 12] }, 1, false],
    ['nobody', { suspect: [], up: [1, 2, 3] }, 0.5, false],
  ])('a group: %s', (_what, standing, share, expected) => {
    expect(failTogether(fleet(standing), 13_000, { least: 2, share })).toBe(expected);
  });
});
