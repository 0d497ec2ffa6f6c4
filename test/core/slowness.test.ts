import { describe, expect, test } from 'vitest';
import { NO_QUANTILE, type Quantile, valueOf, withSample } from '../../src/core/quantile.ts';
import { slowFrom } from '../../src/core/slowness.ts';
import { randomFrom } from '../support/random.ts';

function learned(count: number, sample: (random: () => number) => number, from = NO_QUANTILE): Quantile {
  const random = randomFrom(7);
  let quantile = from;
  for (let i = 0; i < count; i++) quantile = withSample(quantile, sample(random));
  return quantile;
}
const exponential = (random: () => number): number => -Math.log(1 - random()) * 20;

describe('the 99th percentile', () => {
  test.each([1_000, 10_000, 100_000])(
    'of %d exponential samples is within a quarter of ln(100) times the mean',
    (count) => {
      const p99 = valueOf(learned(count, exponential), 5)!;
      expect(p99 / (20 * Math.log(100))).toBeGreaterThan(0.75);
      expect(p99 / (20 * Math.log(100))).toBeLessThan(1.25);
    },
  );

  test('of samples that are all the same is that', () => {
    expect(
      valueOf(
        learned(20_000, () => 5),
        5,
      ),
    ).toBe(5);
  });

  test('follows a target that has become slower for good', () => {
    const fast = learned(50_000, exponential);
    const slower = learned(20_000, (random) => 2 * exponential(random), fast);
    expect(valueOf(slower, 5)! / valueOf(fast, 5)!).toBeGreaterThan(1.7);
  });

  test('is unknown at first', () => {
    expect(valueOf(learned(99, exponential), 100)).toBeUndefined();
    expect(valueOf(learned(100, exponential), 100)).toBeDefined();
  });
});

test('its markers stay in order, whatever comes', () => {
  const random = randomFrom(3);
  let quantile = NO_QUANTILE;
  for (let i = 0; i < 30_000; i++) {
    quantile = withSample(quantile, random() < 0.5 ? 0 : random() * 10 ** (6 * random()));
    const { heights, places } = quantile;
    for (let m = 1; m < heights.length; m++) {
      if (heights[m]! < heights[m - 1]! || places[m]! <= places[m - 1]!)
        throw new Error(`${i}: ${heights.join(' ')}, ${places.join(' ')}`);
    }
  }
  expect(quantile.samples).toBeLessThan(8_192);
});

test.each([
  ['off', 200, null],
  [300, 0, 300],
  ['auto', 99, null],
  ['auto', 1_000, 60],
] as const)('slow_after %s with %d samples of 20 ms: %s', (slowAfter, count, slowMs) =>
  expect(
    slowFrom(
      slowAfter,
      learned(count, () => 20),
    ),
  ).toBe(slowMs),
);
test('three times next to nothing is not slow', () => {
  expect(
    slowFrom(
      'auto',
      learned(1_000, () => 1),
    ),
  ).toBe(50);
});
