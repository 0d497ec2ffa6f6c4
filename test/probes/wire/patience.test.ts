import { expect, test } from 'vitest';
import { patiently } from '../../../probes/wire/patience.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function set(): { clock: ReturnType<typeof createFakeClock>; acts: number[]; cancel: () => void } {
  const clock = createFakeClock({ now: 0 });
  const acts: number[] = [];
  return { clock, acts, cancel: patiently(clock, 50, () => acts.push(clock.now())) };
}

test('in time: then', async () => {
  const { clock, acts } = set();
  await clock.advance(60);
  expect(acts).toEqual([50]);
});

test('where our loop was late: as much later again, once', async () => {
  const { clock, acts } = set();
  clock.stall(150);
  await clock.advance(99);
  expect(acts).toEqual([]);
  clock.stall(500);
  await clock.advance(1);
  expect(acts).toHaveLength(1);
});

test('cancelled, before and in between: never', async () => {
  const { clock, acts, cancel } = set();
  clock.stall(150);
  await clock.advance(0);
  cancel();
  await clock.advance(900);
  expect(acts).toEqual([]);
  expect(clock.pending).toBe(0);
});
