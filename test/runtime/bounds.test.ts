import { expect, test } from 'vitest';
import { boundsFor } from '../../src/runtime/bounds.ts';
import { aTarget } from '../support/targets.ts';

function targets(count: number, host?: string) {
  return Array.from({ length: count }, (_, index) => aTarget({ name: `t${index}`, ...(host && { host }) }));
}

test.each([
  [1, 256],
  [64, 256],
  [300, 1_200],
  [10_000, 4_096],
])('%d targets: %d attempts at once', (count, total) => {
  expect(boundsFor(targets(count), {}).total).toBe(total);
});

test('to one host: four for each of its targets, and some at the least', () => {
  const { perHost } = boundsFor([...targets(20, 'busy'), ...targets(1, 'quiet')], {});
  expect([perHost('busy'), perHost('quiet'), perHost('gone')]).toEqual([80, 8, 8]);
});

test('what is written holds', () => {
  const { total, perHost } = boundsFor(targets(300, 'busy'), { total: 7, perHost: 3 });
  expect([total, perHost('busy')]).toEqual([7, 3]);
});
