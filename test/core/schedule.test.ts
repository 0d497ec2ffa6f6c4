import { describe, expect, test } from 'vitest';
import { firstDue, nextDue, phaseOf, startsBetween } from '../../src/core/schedule.ts';

const NAMES = Array.from({ length: 1_000 }, (_, i) => `target-${i}`);

describe('phaseOf', () => {
  test('is the same every time, and a whole slot inside the interval', () => {
    for (const name of NAMES) {
      const phase = phaseOf(name, 1_000);
      expect(phase).toBe(phaseOf(name, 1_000));
      expect(phase % 10).toBe(0);
      expect(phase).toBeGreaterThanOrEqual(0);
      expect(phase).toBeLessThan(1_000);
    }
  });

  test('spreads names that differ in a digit: 1,000 over 20 bins of 50', () => {
    const bins = Array.from({ length: 20 }, () => 0);
    for (const name of NAMES) bins[Math.floor(phaseOf(name, 1_000) / 50)]!++;
    expect(Math.min(...bins)).toBeGreaterThan(25);
    expect(Math.max(...bins)).toBeLessThan(80);
  });

  test('puts at most 25 of 1,000 into one slot of a second', () => {
    const slots = new Map<number, number>();
    for (const name of NAMES) slots.set(phaseOf(name, 1_000), (slots.get(phaseOf(name, 1_000)) ?? 0) + 1);
    expect(Math.max(...slots.values())).toBeLessThanOrEqual(25);
  });

  test('an interval of one slot has the phase 0', () => expect(phaseOf('x', 10)).toBe(0));
});

describe('nextDue', () => {
  test.each([
    ['before the first start', 0],
    ['between two starts', 12_345],
    ['exactly at a start', 5_000 + phaseOf('a', 5_000) + 100],
  ])('is the first start of the grid strictly after: %s', (_, after) => {
    const due = nextDue('a', 5_000, 100, after);
    expect(due).toBeGreaterThan(after);
    expect(due - after).toBeLessThanOrEqual(Math.max(5_000, 100 + phaseOf('a', 5_000)));
    expect((due - 100 - phaseOf('a', 5_000)) % 5_000).toBe(0);
  });
});

describe('firstDue', () => {
  test('comes within ten seconds however long the interval', () => {
    for (const name of NAMES) expect(firstDue(name, 3_600_000, 0, 50)).toBeLessThanOrEqual(10_050);
  });

  test('is on the grid where the interval is short', () => {
    for (const name of NAMES) expect(firstDue(name, 5_000, 0, 50)).toBe(nextDue(name, 5_000, 0, 50));
  });
});

test.each([
  [0, 1, 0],
  [0, 1_000, 0],
  [0, 1_001, 1],
  [0, 3_500, 3],
  [1_000, 1_000, 0],
])('startsBetween(%d, %d) with starts at every second is %d', (after, before, count) => {
  const name = NAMES.find((candidate) => phaseOf(candidate, 1_000) === 0)!;
  expect(startsBetween(name, 1_000, 0, after, before)).toBe(count);
});
