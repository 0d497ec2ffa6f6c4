import { type Pool, createPool } from '../../probes/script/pool.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { quantile, write } from './numbers.ts';

/** What a script costs at all: a cold attempt, a warm one, and a thread's memory. */
export async function costs(file: string): Promise<void> {
  const options = {
    signal: new AbortController().signal,
    clock: createSystemClock(),
    onQueued() {},
    onBegun() {},
    onPrinted() {},
  };
  const ask = (pool: Pool): Promise<unknown> =>
    pool.run({ file, given: '{"a":1}', target: 't', traced: false }, () => 1_000, options);

  // First of all: a process that has had threads takes less for the next ones.
  const threads = createPool();
  const before = process.memoryUsage.rss();
  await Promise.all(Array.from({ length: 8 }, () => ask(threads)));
  const each = (process.memoryUsage.rss() - before) / 8 / 2 ** 20;
  await threads.clear();

  const cold: number[] = [];
  for (let i = 0; i < 20; i++) {
    const pool = createPool();
    cold.push(await timed(() => ask(pool)));
    await pool.clear();
  }
  const pool = createPool();
  for (let i = 0; i < 500; i++) await ask(pool);
  const warm: number[] = [];
  for (let i = 0; i < 5_000; i++) warm.push(await timed(() => ask(pool)));
  const cpu = process.cpuUsage();
  for (let i = 0; i < 5_000; i++) await ask(pool);
  const { user, system } = process.cpuUsage(cpu);
  await pool.clear();

  const us = (ms: number): string => (ms * 1_000).toFixed(0);
  write(`Node ${process.version}`);
  write(
    `a cold attempt   p50 ${quantile(cold, 0.5).toFixed(1)} ms, p99 ${quantile(cold, 0.99).toFixed(1)} ms`,
  );
  write(
    `a warm attempt   p50 ${us(quantile(warm, 0.5))} us, p99 ${us(quantile(warm, 0.99))} us; ` +
      `CPU ${((user + system) / 5_000).toFixed(0)} us in both threads`,
  );
  write(`a warm thread    ${each.toFixed(1)} MiB resident\n`);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const at = performance.now();
  await run();
  return performance.now() - at;
}
