import { describe, expect, test } from 'vitest';
import { NO_FLAPS, penaltyAt, settledBy, withDown, withUp } from '../../src/core/flapping.ts';

const MIN = 60_000;

function downAt(...minutes: readonly number[]) {
  return minutes.reduce((flaps, at) => withDown(flaps, at * MIN), NO_FLAPS);
}

test('each down adds 1000, half of which is gone after ten minutes', () => {
  expect(penaltyAt(downAt(0), 0)).toBe(1_000);
  expect(penaltyAt(downAt(0), 10 * MIN)).toBe(500);
  expect(penaltyAt(downAt(0, 10), 10 * MIN)).toBe(1_500);
  expect(penaltyAt(NO_FLAPS, 5)).toBe(0);
});

describe('flapping', () => {
  test.each([
    [[0, 1, 2], false],
    [[0, 1, 2, 3], true],
    [[0, 0, 0], true],
    [[0, 5, 10, 15], false],
    [[0, 5, 10, 15, 20, 25, 30], true],
    [[0, 10, 20, 30, 40, 50, 60], false],
  ] as const)('down at minutes %j: %s', (minutes, flapping) =>
    expect(downAt(...minutes).flapping).toBe(flapping),
  );

  test('ends below 1000, not below 3000', () => {
    const flaps = { ...downAt(0, 1, 2, 3), changedAt: 100 * MIN };
    expect(settledBy(flaps, 20 * MIN)).toBe(flaps);
    expect(settledBy(flaps, 24 * MIN).flapping).toBe(false);
  });

  test('ends where nothing has changed for ten minutes: what is down for good is told as down', () => {
    const down = downAt(0, 1, 2, 3);
    expect(settledBy(down, 13 * MIN - 1).flapping).toBe(true);
    expect(settledBy(down, 13 * MIN).flapping).toBe(false);
    expect(settledBy(withUp(down, 5 * MIN), 13 * MIN).flapping).toBe(true);
    expect(settledBy(withUp(down, 5 * MIN), 15 * MIN).flapping).toBe(false);
  });

  test('is over within an hour of the last change, whatever came before', () => {
    const flaps = Array.from({ length: 10_000 }).reduce<typeof NO_FLAPS>((one) => withDown(one, 0), NO_FLAPS);
    expect(penaltyAt(flaps, 60 * MIN)).toBe(1_000);
  });
});

test('one that never went down stays the very same value', () => {
  expect(settledBy(withUp(NO_FLAPS, 5), 9)).toBe(NO_FLAPS);
});
