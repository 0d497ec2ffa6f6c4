import { expect, test } from 'vitest';
import { createVigil } from '../../src/runtime/vigil.ts';
import { createFakeClock } from '../support/fake-clock.ts';

async function watching() {
  const clock = createFakeClock();
  const seen: string[] = [];
  const vigil = createVigil({
    clock,
    isCutOff: () => false,
    onLapse: () => seen.push('lapse'),
    onDoubt: ({ doubtful }, because) => seen.push(`${doubtful ? 'doubt' : 'sure'} ${because ?? ''}`.trim()),
  });
  vigil.start();
  await clock.advance(1_000);
  return { clock, vigil, seen };
}

test('a loop that is on time leaves no doubt', async () => {
  const { clock, vigil, seen } = await watching();
  await clock.advance(10_000);
  expect(vigil.doubt().score).toBe(0);
  expect(seen).toEqual([]);
});

test.each([
  [200, 0, false, false],
  [400, 1, true, false],
  [2_500, 3, true, true],
])('late by %d ms: score %d, stalled %s, paused %s', async (late, score, stalled, paused) => {
  const { clock, vigil, seen } = await watching();
  clock.stall(late + 100);
  await clock.advance(0);
  expect(vigil.doubt().score).toBe(score);
  expect(vigil.lapses().stalledAt > 0).toBe(stalled);
  expect(vigil.lapses().pausedAt > 0).toBe(paused);
  expect(seen).toEqual(paused ? ['lapse'] : []);
});

test.each([3_600_000, -3_600_000])('the wall clock is set by %d ms', async (ms) => {
  const { clock, vigil, seen } = await watching();
  clock.step(ms);
  await clock.advance(100);
  expect(vigil.doubt()).toMatchObject({ score: 3, doubtful: false });
  expect(seen).toEqual(['lapse']);
});

test('a clock that is slewed is not set', async () => {
  const { clock, vigil } = await watching();
  for (let tick = 0; tick < 50; tick++) {
    clock.step(50);
    await clock.advance(100);
  }
  expect(vigil.doubt().score).toBe(0);
});

test('doubt begins once and ends once, after thirty clean seconds', async () => {
  const { clock, vigil, seen } = await watching();
  vigil.note('anchors lost');
  await clock.advance(20_000);
  vigil.note('anchors lost');
  await clock.advance(29_900);
  expect(seen).toEqual(['doubt anchors lost']);
  await clock.advance(200);
  expect(seen).toEqual(['doubt anchors lost', 'sure']);
});

test('stopped, it holds nothing', async () => {
  const { clock, vigil } = await watching();
  vigil.start();
  expect(clock.pending).toBe(1);
  vigil.stop();
  expect(clock.pending).toBe(0);
});
