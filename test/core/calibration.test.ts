import { describe, expect, test } from 'vitest';
import {
  type Blip,
  type Calibration,
  NO_CALIBRATION,
  type Suspicion,
  followed,
  totalOf,
  withBlip,
  withLook,
} from '../../src/core/calibration.ts';
import { judge, unknownHealth } from '../../src/core/health.ts';
import { type Attempt, type Outcome, fail, ok, voided } from '../../src/core/outcome.ts';
import { RULES, circumstances } from '../support/circumstances.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '+': ok('fine'),
  e: fail('refused', 'no'),
  s: fail('timeout', 'silence'),
  p: fail('connect_timeout', 'nobody'),
  '?': voided('cannot tell'),
};
const CONFIRM = { explicit: 20_000, silent: 20_000, path: 20_000 };

/** Attempts a second apart, a letter each; silence takes two. `!`: the one before has its cause elsewhere. */
function blipsOf(letters: string, confirm = CONFIRM): Blip[] {
  let health = unknownHealth(0);
  let suspicion: Suspicion | null = null;
  const blips: Blip[] = [];
  [...letters.matchAll(/(.)(!?)/g)].forEach(([, letter, mark], second) => {
    const outcome = OUTCOMES[letter!]!;
    const slow = letter === 's' || letter === 'p';
    const attempt: Attempt = {
      outcome,
      number: second,
      at: 0,
      startedAt: second * 1_000,
      latencyMs: slow ? 2_000 : 10,
      phases: {},
    };
    const { health: after } = judge(health, attempt, circumstances({ rules: { ...RULES, confirm } }));
    const seen = followed(suspicion, { attempt, before: health, after, clear: mark === '' });
    ({ suspicion } = seen);
    health = after;
    if (seen.blip) blips.push(seen.blip);
  });
  return blips;
}

describe('a suspicion that ends well is a blip', () => {
  test.each<[string, Blip]>([
    ['+e+', { cls: 'explicit', heardMs: 10, lastedMs: 500 }],
    ['+eee+', { cls: 'explicit', heardMs: 10, lastedMs: 2_500 }],
    ['+s+', { cls: 'silent', heardMs: 2_000, lastedMs: 0 }],
    ['+ssss+', { cls: 'silent', heardMs: 2_000, lastedMs: 2_010 }],
    ['+pppp+', { cls: 'path', heardMs: 2_000, lastedMs: 2_010 }],
    ['+eese+', { cls: 'silent', heardMs: 10, lastedMs: 4_000 }],
    ['+epe+', { cls: 'path', heardMs: 10, lastedMs: 3_000 }],
    ['e+', { cls: 'explicit', heardMs: 10, lastedMs: 500 }],
  ])('%s', (letters, blip) => expect(blipsOf(letters)).toEqual([blip]));

  test('each one', () => expect(blipsOf('+e+e+ee+')).toHaveLength(3));
});

describe('and none where', () => {
  test.each([
    ['+++', 'nothing failed'],
    ['+e', 'it goes on'],
    ['+e?+', 'one of its attempts was void'],
    ['+e!e+', 'the first failure had another cause'],
    ['+ee!+', 'a later failure had another cause'],
    ['+ee+!', 'its end is not clear'],
  ])('%s: %s', (letters) => expect(blipsOf(letters)).toEqual([]));

  test('it came to a verdict', () => {
    const confirm = { explicit: 2_000, silent: 2_000, path: 2_000 };
    expect(blipsOf('+eee++++', confirm)).toEqual([]);
    expect(blipsOf('+eee++++e+', confirm)).toHaveLength(1);
  });
});

test('a suspicion that was found half-way is none: nobody knows when it began', () => {
  const [attempt] = [{ outcome: OUTCOMES['e']!, number: 1, at: 0, startedAt: 5, latencyMs: 1, phases: {} }];
  const health = { ...unknownHealth(0), state: 'suspect' as const };
  const { health: after } = judge(health, attempt, circumstances());
  const { suspicion } = followed(null, { attempt, before: health, after, clear: true });
  expect(suspicion).toMatchObject({ counts: false });
});

const BLIP = { cls: 'explicit', heardMs: 10, lastedMs: 500 } as const;

test('sums are kept for thirty days of watching, in so much room and no more', () => {
  let calibration: Calibration = NO_CALIBRATION;
  for (let hour = 0; hour < 100 * 24; hour++) {
    calibration = withLook(withBlip(calibration, BLIP, CONFIRM), 3_600_000);
  }
  expect(calibration.days).toHaveLength(30);
  const { watchedMs, looks, blips } = totalOf(calibration);
  expect(watchedMs).toBe(30 * 86_400_000);
  expect(looks).toBe(30 * 24);
  expect(blips.explicit).toEqual({ count: 720, heardMs: 7_200, lastedMs: 360_000, roomMs: 720 * 19_990 });
  expect(blips.path.count).toBe(0);
  expect(JSON.parse(JSON.stringify(calibration))).toEqual(calibration);
});

test('what outlasted its window was held back by something, and is left out', () => {
  const held = { ...BLIP, lastedMs: 20_000 };
  expect(withBlip(NO_CALIBRATION, held, CONFIRM)).toBe(NO_CALIBRATION);
});
