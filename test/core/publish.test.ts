import { describe, expect, test } from 'vitest';
import { BRAKES } from '../../src/core/brakes.ts';
import {
  type Candidate,
  type Standing,
  keptStanding,
  published,
  restoredStanding,
  sameSet,
} from '../../src/core/publish.ts';

/**
 * A letter a member: `u` up, `s` suspect, `d` down, `r` recovering, `?` unknown and heard of, `.` not heard of, `D` down and paused, `X`
 * up and drained, `W` up and withdrawn, `A` up while its recovery is not verified, `B` down and acted on. They are called a, b, c ...
 */
function members(letters: string): Candidate[] {
  return letters.split('').map((letter, index) => ({
    name: 'abcdefghij'[index]!,
    state: (
      {
        u: 'up',
        X: 'up',
        W: 'up',
        A: 'up',
        s: 'suspect',
        d: 'down',
        B: 'down',
        D: 'down',
        r: 'recovering',
        '?': 'unknown',
        '.': 'unknown',
      } as const
    )[letter]!,
    heard: letter !== '.',
    held: letter === 'D',
    drained: letter === 'X',
    withdrawn: letter === 'W',
    acted: letter === 'A' || letter === 'B',
  }));
}

interface Look {
  readonly at?: number;
  readonly doubtful?: boolean;
  readonly warmMs?: number;
}

function look(before: Standing | null, letters: string, { at = 0, doubtful = false, warmMs = 0 }: Look = {}) {
  return published(before, members(letters), { now: at, doubtful, warmMs, brakes: BRAKES });
}

/** `ab` where a and b are published, with a `!` in a panic. */
function shown(standing: Standing | null): string {
  return standing === null ? 'nothing' : [...standing.published].join('') + (standing.panic ? '!' : '');
}

/** What is published in the end, one look after the other. */
function after(...looks: readonly string[]): string {
  return shown(looks.reduce<Standing | null>((before, letters) => look(before, letters), null));
}

describe('who is published', () => {
  test.each([
    ['all that are up', ['uuu'], 'abc'],
    ['nothing before each has been heard of', ['uu.'], 'nothing'],
    ['what is known, where one cannot be judged', ['uuu?'], 'abc'],
    ['not who has never been up', ['uus'], 'ab'],
    ['a suspect as it last stood: in', ['uuu', 'uus'], 'abc'],
    ['one that a verdict has taken out', ['uuu', 'uud'], 'ab'],
    ['not one that is not verified yet', ['uuu', 'uud', 'uur'], 'ab'],
    ['and it is back once it is up', ['uuu', 'uud', 'uur', 'uuu'], 'abc'],
    ['suspect and not up since: out, as it last stood', ['uuu', 'uud', 'uus'], 'ab'],
    ['one that is paused as it last stood: in', ['uuu', 'uuD'], 'abc'],
    ['one that is paused as it last stood: out', ['uuu', 'uud', 'uuD'], 'ab'],
    ['one that is up while it is paused', ['uuu', 'uud', 'uuu'], 'abc'],
    ['not one that is to be drained', ['uuu', 'uuX'], 'ab'],
    ['one that was drained, once it is not any more', ['uuu', 'uuX', 'uuu'], 'abc'],
    ['not one whose recovery is not verified', ['uuu', 'uud', 'uuA'], 'ab'],
    ['not one that its ladder has taken out, though it is up', ['uuu', 'uud', 'uuW'], 'ab'],
    ['and it is back once that is over', ['uuu', 'uud', 'uuW', 'uuu'], 'abc'],
    ['nobody, where two are down: that is no panic', ['uu', 'dd'], ''],
    ['a new one once it is up', ['uu', 'uu.'], 'ab'],
    ['a new one once it is up, then', ['uu', 'uu.', 'uuu'], 'abc'],
    ['only members', ['uuu', 'uu'], 'ab'],
  ])('%s', (_what, looks, expected) => expect(after(...looks)).toBe(expected));
});

describe('panic', () => {
  test.each([
    ['half of four: all of them are published', ['uuuu', 'uudd'], 'abcd!'],
    ['also who was out before it', ['uuuu', 'uuud', 'uudd'], 'abcd!'],
    ['not one on which something is being done', ['uuuu', 'uudB'], 'abc!'],
    ['whoever comes up is added', ['uuuu', 'uuud', 'uddd', 'uddu'], 'abcd!'],
    ['one of three is none', ['uuu', 'uud'], 'ab'],
    ['two of three is one', ['uuu', 'udd'], 'abc!'],
    ['at the start, with nothing good known, all', ['uudd'], 'abcd!'],
    ['somebody who is drained is not in it', ['uuuu', 'ddXu'], 'abd!'],
    ['nor counted: one of the three that are left', ['uuuu', 'udXu'], 'ad'],
    ['nor new ones of which nothing was heard', ['uuuu', 'uudd..'], 'abcd!'],
    ['what ladders have taken out is bad, too, and a panic brings it back', ['uuuu', 'uuWW'], 'abcd!'],
    ['new ones of which nothing is known do not bring it about', ['uuu', 'uuu...'], 'abc'],
  ])('%s', (_what, looks, expected) => expect(after(...looks)).toBe(expected));

  test('ends when less than 40 % have been bad for two minutes, and not before', () => {
    let standing = look(null, 'uuuuu');
    standing = look(standing, 'uuddd', { at: 1_000 });
    expect(shown(standing)).toBe('abcde!');
    standing = look(standing, 'uuudd', { at: 2_000 });
    standing = look(standing, 'uuudd', { at: 500_000 });
    expect(shown(standing)).toBe('abcde!');
    standing = look(standing, 'uuuud', { at: 500_000 });
    standing = look(standing, 'uuuud', { at: 619_999 });
    expect(shown(standing)).toBe('abcde!');
    standing = look(standing, 'uuuud', { at: 620_000 });
    expect(shown(standing)).toBe('abcd');
  });
});

describe('in doubt', () => {
  test('all stays as it is', () => {
    let standing = look(null, 'uuud');
    standing = look(standing, 'uddu', { doubtful: true, at: 1_000 });
    expect(shown(standing)).toBe('abc');
    expect(shown(look(standing, 'uuuX', { doubtful: true }))).toBe('abc');
    expect(shown(look(standing, 'uuXu', { doubtful: true }))).toBe('ab');
  });

  test('nothing is published for the first time', () => {
    expect(look(null, 'uuu', { doubtful: true })).toBeNull();
  });
});

describe('warming', () => {
  const warmMs = 10_000;

  test('who was out is back only after it has been up for so long', () => {
    let standing = look(look(null, 'uuu', { warmMs }), 'uud', { warmMs, at: 1_000 });
    standing = look(standing, 'uuu', { warmMs, at: 2_000 });
    standing = look(standing, 'uuu', { warmMs, at: 11_999 });
    expect(shown(standing)).toBe('ab');
    expect(shown(look(standing, 'uuu', { warmMs, at: 12_000 }))).toBe('abc');
  });

  test('a relapse begins it anew, and so does what is not verified', () => {
    let standing = look(look(null, 'uuu', { warmMs }), 'uud', { warmMs, at: 1_000 });
    standing = look(standing, 'uuu', { warmMs, at: 2_000 });
    standing = look(standing, 'uus', { warmMs, at: 3_000 });
    standing = look(standing, 'uuA', { warmMs, at: 12_000 });
    standing = look(standing, 'uuu', { warmMs, at: 20_000 });
    expect(shown(standing)).toBe('ab');
    expect(shown(look(standing, 'uuu', { warmMs, at: 30_000 }))).toBe('abc');
  });

  test('not at the start: there it is up and was never out', () => {
    expect(shown(look(null, 'uuu', { warmMs }))).toBe('abc');
  });
});

test('since when a member is out', () => {
  let standing = look(null, 'uuu');
  standing = look(standing, 'uud', { at: 1_000 });
  standing = look(standing, 'uur', { at: 5_000 });
  expect([...standing!.out]).toEqual([['c', 1_000]]);
  expect([...look(standing, 'uuu', { at: 6_000 })!.out]).toEqual([]);
});

describe('a restart', () => {
  test('takes nobody out and nobody in before there is a verdict', () => {
    const before = look(look(null, 'uuuuu'), 'uuuud');
    const kept = JSON.parse(JSON.stringify(keptStanding(before!))) as ReturnType<typeof keptStanding>;
    const restored = restoredStanding(kept, 7_000);
    expect(shown(look(restored, '.....'))).toBe('abcd');
    expect(shown(look(restored, 'ssuss'))).toBe('abcd');
    expect(shown(look(restored, 'duuuu'))).toBe('bcde');
  });

  test('in a panic goes on with it', () => {
    const before = look(look(null, 'uuuu'), 'uddd');
    const restored = restoredStanding(keptStanding(before!), 7_000);
    expect(shown(look(restored, '....'))).toBe('abcd!');
  });
});

test('consumers notice another set, and a panic', () => {
  const [all, fewer, panic] = [
    look(null, 'uuu'),
    look(look(null, 'uuu'), 'uud'),
    look(look(null, 'uuu'), 'udd'),
  ];
  expect(sameSet(all, look(all, 'uus'))).toBe(true);
  expect([sameSet(all, fewer), sameSet(all, panic), sameSet(null, all), sameSet(null, null)]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});
