import { describe, expect, test } from 'vitest';
import { promising } from '../../bench/detect/ours.ts';
import { FAULTS, detections } from '../../bench/detect/table.ts';
import { type Noise, createWorld } from '../../bench/detect/world.ts';
import { NO_CALIBRATION } from '../../src/core/calibration.ts';
import type { Contract } from '../../src/core/contract.ts';
import { parseDuration, parseRate } from '../../src/core/units.ts';
import { randomFrom } from '../support/random.ts';

const HOURS = 1_500;
const HOUR_MS = 3_600_000;

/** Rates that are high enough to be counted in so short a time. */
describe.each<[string, Noise, string, string]>([
  ['stalls of 2 s, four an hour', { stalls: { perHour: 4, meanMs: 2_000 } }, '15s', '1/1d'],
  ['outages of 1.5 s, six an hour', { bursts: { perHour: 6, meanMs: 1_500 } }, '10s', '1/1d'],
  ['outages of 5 s, twice an hour', { bursts: { perHour: 2, meanMs: 5_000 } }, '60s', '1/2d'],
])('%s', (_noise, noise, within, rate) => {
  const { most, withinMs } = parseRate(rate)!;
  const contract: Contract = {
    detectWithinMs: parseDuration(within)!,
    maxFalseDown: most / withinMs,
    written: { confirm: {} },
  };
  const learning = promising('learning', contract);
  const world = createWorld({ loss: 0, ...noise }, HOURS, 7);
  const { falseDowns } = learning.watch({ world, random: randomFrom(11), untilMs: HOURS * HOUR_MS });
  const { calibration } = learning;

  test('no more false verdicts than are allowed, and not for want of blips', () => {
    const allowed = contract.maxFalseDown * HOURS * HOUR_MS;
    expect(falseDowns).toBeLessThanOrEqual(allowed);
    expect(falseDowns).toBeGreaterThan(allowed / 20);
  });

  test('with what it has learned each fault is found in time', () => {
    expect(calibration()).not.toBe(NO_CALIBRATION);
    const learned = promising('learned', contract, calibration());
    for (const fault of FAULTS) {
      const slowest = detections(learned, fault, 150).at(-1)!;
      expect(slowest).toBeLessThanOrEqual(contract.detectWithinMs);
      expect(slowest).toBeGreaterThan(contract.detectWithinMs / 8);
    }
  });
});
