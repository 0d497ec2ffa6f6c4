import { describe, expect, test } from 'vitest';
import type { Recorded } from '../../src/core/recorded.ts';
import { type Replayed, type Span, isSame, paired, pairedActions, replayed } from '../../src/core/replay.ts';
import type { Target } from '../../src/core/target.ts';
import { lettered, recorded } from '../support/recorded.ts';
import { aTarget } from '../support/targets.ts';

function run(attempts: readonly Recorded[], target: Target = aTarget(), isUnreachable = false): Replayed {
  let so: Replayed | null = null;
  for (const attempt of attempts) so = replayed(so, attempt, target, { isUnreachable, patienceMs: 4_000 });
  return so!;
}

/** Seconds at which incidents open and close. */
function spans(of: readonly Span[]): string {
  const at = (ms: number | null): string => (ms === null ? '?' : String(Math.floor(ms / 1_000)));
  return of.map(({ opened, closed }) => `${at(opened)}-${at(closed)}`).join(' ');
}

describe('incidents by other rules', () => {
  test.each([
    { script: '+---++', rules: {}, replayed: '3-5', why: 'three failures, two good ones' },
    {
      script: '+---++',
      rules: { failureThreshold: 2 },
      replayed: '2-5',
      why: 'a lower threshold opens sooner',
    },
    { script: '+---++', rules: { failureThreshold: 4 }, replayed: '', why: 'a higher one not at all' },
    {
      script: '+---+++',
      rules: { successThreshold: 3 },
      replayed: '3-6',
      why: 'more good ones close it later',
    },
    { script: '+---+--++', rules: { successThreshold: 1 }, replayed: '3-4', why: 'one closes it at once' },
    { script: '+-----', rules: { confirm: windows(4_000) }, replayed: '5-?', why: 'a window has to be over' },
    { script: '+---++', rules: { confirm: windows(4_000) }, replayed: '', why: 'and is not' },
  ])('$script, $why: $replayed', ({ script, rules, replayed }) => {
    expect(spans(run(lettered(script), aTarget({ rules })).replayed)).toBe(replayed);
  });

  function windows(ms: number) {
    return { explicit: ms, silent: ms, path: ms };
  }

  test('what was on record stands beside it', () => {
    const states = ['up', 'suspect', 'down', 'down', 'recovering', 'up'] as const;
    const attempts = lettered('+---++').map((one, index) => ({ ...one, state: states[index]! }));
    const { recorded, replayed } = run(attempts, aTarget({ rules: { failureThreshold: 3 } }));
    expect(spans(recorded)).toBe('2-5');
    expect(spans(replayed)).toBe('3-5');
  });

  test('a record that begins in an incident begins in it for both', () => {
    const so = run([
      recorded({ status: 'fail', reason: 'refused', state: 'down' }),
      recorded({ start: 1_000, state: 'recovering' }),
      recorded({ start: 2_000, state: 'up' }),
    ]);
    expect(spans(so.recorded)).toBe('?-2');
    expect(so.recorded).toEqual(so.replayed);
  });
});

describe('what an attempt was judged under is mirrored', () => {
  const cases: [why: string, differing: Partial<Recorded>, state: string][] = [
    ['as usual', {}, 'down'],
    ['the agent was in doubt', { doubtful: true, score: 4 }, 'up'],
    [
      'no anchor answered, and the path alone speaks',
      { path_lost: true, reason: 'connect_timeout' },
      'suspect',
    ],
    ['no anchor answered, and it refuses', { path_lost: true }, 'down'],
    ['what it depends on was not heard since', { heard_ms: 5_000 }, 'suspect'],
    ['what it depends on was heard', { heard_ms: 0 }, 'down'],
  ];
  test.each(cases)('%s', (_why, differing, state) => {
    const [first, ...failures] = lettered('+---');
    const attempts = [first!, ...failures.map((one) => ({ ...one, ...differing }))];
    expect(run(attempts).health.state).toBe(state);
  });

  test('a dependency that is not up opens nothing', () => {
    expect(run(lettered('+------'), aTarget(), true).health.state).toBe('suspect');
  });

  test('the end of doubt, and a time in which the agent stood still, begin the evidence anew', () => {
    const failures = lettered('+--');
    const doubt = recorded({ start: 3_000, doubtful: true, score: 4 });
    const after = lettered('---', { from: 4_000 });
    expect(run([...failures, doubt, ...after.slice(0, 2)]).health.state).toBe('suspect');
    const [next, ...rest] = after.map((one) => ({ ...one, score: 3 }));
    expect(run([...failures, next!, rest[0]!]).health.state).toBe('suspect');
    expect(run([...failures, next!, ...rest]).health.state).toBe('down');
  });

  test('the time between two processes is no part of a window', () => {
    const confirm = { explicit: 3_500, silent: 3_500, path: 3_500 };
    const before = lettered('+--');
    const after = lettered('---', { from: 100_100 }).map((one) => ({ ...one, session: 100_000 }));
    const target = aTarget({ rules: { confirm } });
    // 1s before the restart and 1.1s after it; 2.1s, and more than the window.
    expect(run([...before, ...after.slice(0, 2)], target).health.state).toBe('suspect');
    expect(
      run(
        [
          ...before,
          ...after,
          ...lettered('-', { from: 103_100 }).map((one) => ({ ...one, session: 100_000 })),
        ],
        target,
      ).health.state,
    ).toBe('down');
  });
});

describe('which incidents are the same', () => {
  const span = (text: string): Span => {
    const [opened, closed] = text.split('-').map((part) => (part === '?' ? null : Number(part)));
    return { opened: opened!, closed: closed!, reason: null };
  };
  test.each([
    ['1-5', '1-5', '1-5=1-5'],
    ['1-5', '3-5', '1-5~3-5'],
    ['1-5', '', '1-5 x'],
    ['', '1-5', 'x 1-5'],
    ['1-9', '2-3 5-6', '1-9~2-3|x 5-6'],
    ['2-3 5-6', '1-9', '2-3~1-9|5-6 x'],
    ['1-2', '3-4', '1-2 x|x 3-4'],
    ['?-?', '?-4', '?-?~?-4'],
    ['1-? ', '7-8', '1-?~7-8'],
  ])('%s and %s: %s', (recorded, replayed, expected) => {
    const read = (text: string): Span[] => text.split(' ').filter(Boolean).map(span);
    const write = (one: Span | null): string => (one ? `${one.opened ?? '?'}-${one.closed ?? '?'}` : 'x');
    const pairs = paired(read(recorded), read(replayed)).map((pair) => {
      const sign = isSame(pair) ? '=' : pair.recorded && pair.replayed ? '~' : ' ';
      return `${write(pair.recorded)}${sign}${write(pair.replayed)}`;
    });
    expect(pairs.join('|')).toBe(expected);
  });

  test('actions are, where they are of one step at about the same time', () => {
    const begun = (step: string, minutes: number) => ({ target: 't', step, at: minutes * 60_000 });
    const pairs = pairedActions(
      [begun('a', 0), begun('b', 5), begun('a', 60)],
      [begun('a', 2), begun('a', 30), begun('b', 6)],
    );
    expect(pairs.map(({ recorded, replayed }) => [recorded?.at ?? null, replayed?.at ?? null])).toEqual([
      [0, 120_000],
      [300_000, 360_000],
      [null, 1_800_000],
      [3_600_000, null],
    ]);
  });
});
