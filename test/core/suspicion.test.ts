import { expect, test } from 'vitest';
import { NO_ESTIMATE, suspicionPoint, withLatency } from '../../src/core/suspicion.ts';

function after(...latencies: number[]) {
  return latencies.reduce(withLatency, NO_ESTIMATE);
}

test('RFC 6298: the first sample sets SRTT and half of it as RTTVAR', () => {
  expect(after(80)).toEqual({ srtt: 80, rttvar: 40, samples: 1 });
});

test('RFC 6298: later samples move SRTT by an eighth, RTTVAR by a quarter, RTTVAR first', () => {
  const { srtt, rttvar } = after(80, 160);
  expect(rttvar).toBe(40 + (80 - 40) / 4);
  expect(srtt).toBe(80 + 80 / 8);
});

test.each([
  [after(20, 20), 2_000, 500, 'half a second while little is known'],
  [after(20, 20), 300, 300, 'never above the timeout'],
  [after(...Array.from({ length: 50 }, () => 5)), 2_000, 100, 'a regular target has a tenth of a second'],
  [after(...Array.from({ length: 50 }, () => 1_500)), 1_000, 1_000, 'never above the timeout'],
])('%j of %d -> %d: %s', (estimate, timeoutMs, point) => {
  expect(suspicionPoint(estimate, timeoutMs)).toBe(point);
});

test('a target with a wide spread is given more', () => {
  const wide = after(...Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? 100 : 400)));
  expect(suspicionPoint(wide, 2_000)).toBeGreaterThan(600);
});
