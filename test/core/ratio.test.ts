import { describe, expect, test } from 'vitest';
import { judge, unknownHealth } from '../../src/core/health.ts';
import { type Outcome, fail, ok } from '../../src/core/outcome.ts';
import {
  NO_RECENT,
  type Recent,
  failuresIn,
  provenByShare,
  withConfirmation,
  withRegular,
} from '../../src/core/ratio.ts';
import { RULES, circumstances } from '../support/circumstances.ts';

/** Regular attempts by their letters; `(` and `)` are confirmations that failed, and that were good. */
const LETTERS = { e: 'explicit', s: 'silent', p: 'path', '+': null } as const;
const CONFIRM = { explicit: 2_000, silent: 6_000, path: 10_000 };

/** A result every `spacing` ms. */
function recentOf(script: string, spacing: number): Recent {
  return script.split('').reduce<Recent>(
    (recent, letter, index) =>
      letter === '(' || letter === ')'
        ? withConfirmation(recent, { isGood: letter === ')' })
        : withRegular(recent, {
            startedAt: index * spacing,
            failed: LETTERS[letter as keyof typeof LETTERS],
          }),
    NO_RECENT,
  );
}

describe('eight of the last ten, over the window of the weakest class among them', () => {
  test.each([
    ['eeee+eeee', 1_000, 3, 'explicit'],
    ['eee+eee+e', 1_000, 3, null],
    ['e+eee+eeee', 1_000, 3, 'explicit'],
    ['++++eeee+eeee', 1_000, 3, 'explicit'],
    ['e)e)e)e)e)e)e)e', 1_000, 3, null],
    ['e)e)e)e)e)e)e)e((((((', 1_000, 3, null],
    ['e)e)e)e)e)e)e)e(((((((', 1_000, 3, 'explicit'],
    ['e(()e(()e()e()e)e)e()e(', 1_000, 3, 'explicit'],
    ['e)))))eeee+eeeeee', 1_000, 3, 'explicit'],
    ['eeee+eeee', 1_000, 9, null],
    ['eeee+eeee', 200, 3, null],
    ['eees+eeee', 1_000, 3, 'silent'],
    ['eees+eeee', 700, 3, null],
    ['pppp+pppp', 1_000, 3, null],
    ['pppp+pppp', 1_300, 3, 'path'],
  ])('%s every %d ms, threshold %d: %s', (script, spacing, failureThreshold, proven) => {
    const end = (script.length - 1) * spacing + 1;
    expect(provenByShare(recentOf(script, spacing), { failureThreshold, confirm: CONFIRM }, end)).toBe(
      proven,
    );
  });
});

test('a confirmation of nothing is nothing', () => {
  expect(withConfirmation(NO_RECENT, { isGood: true })).toBe(NO_RECENT);
});

test('ten are kept, from the first failure on; without one, nothing is', () => {
  expect(recentOf('+++', 1)).toBe(NO_RECENT);
  expect(recentOf('++e+', 1)).toHaveLength(2);
  expect(recentOf('e'.repeat(20), 1)).toHaveLength(10);
  expect(failuresIn(recentOf(`${'e'.repeat(5)}${'+'.repeat(8)}`, 1))).toBe(2);
  expect(recentOf(`e${'+'.repeat(10)}`, 1)).toBe(NO_RECENT);
});

/** A target that fails four times and answers once, over and over: never five in a row. */
test('a target that fails most of the time goes down, and needs as much to go down again', () => {
  let health = unknownHealth(0);
  const rules = { ...RULES, failureThreshold: 5 };
  const downs: number[] = [];
  const outcomes: Outcome[] = Array.from({ length: 40 }, (_, i) =>
    i % 5 === 4 ? ok('fine') : fail('refused', 'no'),
  );
  outcomes.forEach((outcome, index) => {
    const attempt = { outcome, number: index, at: 0, startedAt: index, latencyMs: 1, phases: {} };
    const judgement = judge(health, attempt, circumstances({ rules: { ...rules, successThreshold: 1 } }));
    ({ health } = judgement);
    if (judgement.transition?.event === 'down') downs.push(index);
  });
  expect(downs).toEqual([8, 18, 28, 38]);
});

test('confirmations do not count among the ten', () => {
  let health = unknownHealth(0);
  for (let index = 0; index < 100; index++) {
    const good = index % 5 === 4;
    const outcome = good ? ok('fine') : fail('refused', 'no');
    const attempt = { outcome, number: index, at: 0, startedAt: index, latencyMs: 1, phases: {} };
    const given = circumstances({ rules: { ...RULES, failureThreshold: 5 }, regular: good });
    ({ health } = judge(health, attempt, given));
    expect(health.state).not.toBe('down');
  }
});
