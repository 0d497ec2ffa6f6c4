import { expect, test } from 'vitest';
import { createSystemClock } from '../../src/runtime/system-clock.ts';

test('callbacks come in the order of their times, none before its time', async () => {
  const clock = createSystemClock();
  const start = clock.now();
  const order: number[] = [];
  const early: number[] = [];
  await new Promise<void>((resolve) => {
    for (const delay of [30, 5, 20, 10, 5, 0]) {
      clock.schedule(start + delay, () => {
        order.push(delay);
        if (clock.now() < start + delay - 1) early.push(delay);
        if (order.length === 6) resolve();
      });
    }
  });
  expect(order).toEqual([0, 5, 5, 10, 20, 30]);
  expect(early).toEqual([]);
});

test('one timer serves a thousand callbacks', async () => {
  const clock = createSystemClock();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const cancels = Array.from({ length: 1_000 }, (_, i) => clock.schedule(clock.now() + 1_000 + i, () => {}));
  expect(timers() - before).toBe(1);
  for (const cancel of cancels) cancel();
  expect(timers()).toBe(before);
});

test('what is cancelled does not run, and cancelling most of many leaves the others in order', async () => {
  const clock = createSystemClock();
  const ran: number[] = [];
  const start = clock.now();
  const cancels = Array.from({ length: 500 }, (_, i) =>
    clock.schedule(start + ((i * 7) % 50), () => ran.push(i)),
  );
  cancels.forEach((cancel, i) => {
    if (i % 10 !== 0) cancel();
  });
  await new Promise<void>((resolve) => clock.schedule(start + 60, resolve));
  expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i * 10));
  expect(ran).toEqual(ran.toSorted((a, b) => ((a * 7) % 50) - ((b * 7) % 50)));
});

test('I/O gets its turn between many callbacks that are due at once', async () => {
  const clock = createSystemClock();
  const start = clock.now();
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 1_000; i++) {
      clock.schedule(start, () => {
        if (i === 0) setImmediate(() => seen.push('other work'));
        if (i === 999) {
          seen.push('last callback');
          resolve();
        }
      });
    }
  });
  expect(seen).toEqual(['other work', 'last callback']);
});

test('a far future is no problem for the timer', () => {
  const clock = createSystemClock();
  let ran = false;
  const cancel = clock.schedule(clock.now() + 2 ** 33, () => {
    ran = true;
  });
  expect(ran).toBe(false);
  cancel();
});
