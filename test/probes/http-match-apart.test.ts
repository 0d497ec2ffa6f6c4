import type { Worker } from 'node:worker_threads';
import { RE2JS } from 're2js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { matchApart } from '../../probes/http/match-apart.ts';
import { http } from '../../probes/http/probe.ts';
import type { Attempt, Phase } from '../../src/core/outcome.ts';
import { attemptOnce } from '../support/attempt.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';
import { answering } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const MIB = 2 ** 20;
/** Longer than the pattern reaches, and cheap to hold against it. */
const HAYSTACK = `${'-'.repeat(300_000)}${'a'.repeat(41)}!`;

/** The threads that were started, and how many of them there were at once. */
const threads = { started: 0, now: 0, most: 0 };
function onWorker(worker: Worker): void {
  threads.started++;
  threads.most = Math.max(threads.most, ++threads.now);
  worker.once('exit', () => threads.now--);
}
beforeEach(() => {
  Object.assign(threads, { started: 0, now: 0, most: 0 });
  process.on('worker', onWorker);
});
afterEach(() => {
  process.removeListener('worker', onWorker);
  expect(threads.now).toBe(0);
});

async function attempt(body: string, settings: object, timeoutMs = 30_000): Promise<Attempt> {
  const port = await answering(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return attemptOnce(http, { url: `http://127.0.0.1:${port}/`, ...settings }, { timeoutMs });
}

/** The longest time, ms, that the loop did not come round while this went on. */
async function longestGap(during: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = (): boolean => isOver;
  void during.finally(() => (isOver = true));
  let longest = 0;
  for (let last = performance.now(); !over();) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

test('a hostile body with a hostile pattern does not stall the loop, and ends by the deadline', async () => {
  const body = hostileText(MIB);
  const program = RE2JS.compile(HOSTILE_PATTERN);
  const begun = performance.now();
  program.test(body.slice(0, MIB / 16));
  const sixteenthMs = performance.now() - begun;

  const attempted = attempt(body, { expect: { body: HOSTILE_PATTERN } }, 1_000);
  const gap = await longestGap(attempted);
  expect(verdict(await attempted)).toBe('fail timeout silent');
  expect(threads).toEqual({ started: 1, now: 0, most: 1 });
  // All of it would take sixteen times as long: that is far less than a tenth.
  expect(gap).toBeLessThan(sixteenthMs);
});

describe('a heavy pattern and a large body', () => {
  test.each([
    [{ expect: { body: HOSTILE_PATTERN } }, 'ok', 1],
    [{ expect: { body_not: HOSTILE_PATTERN } }, 'fail mismatch explicit', 1],
    [{ expect: { body: `${HOSTILE_PATTERN}x` } }, 'fail mismatch explicit', 1],
    [{ warn: { body: HOSTILE_PATTERN, body_not: `x${HOSTILE_PATTERN}` } }, 'ok', 2],
    [{ warn: { body_not: HOSTILE_PATTERN } }, 'warn', 1],
    // What is decided before, or is small enough, needs no thread.
    [{ expect: { status: 500, body: HOSTILE_PATTERN } }, 'fail status explicit', 0],
    [{ expect: { body: 'a!' } }, 'ok', 0],
  ])('%j: %s', async (settings, expected, started) => {
    expect(verdict(await attempt(HAYSTACK, settings))).toBe(expected);
    expect(threads.started).toBe(started);
  });

  test('many at once take turns', async () => {
    const all = await Promise.all(
      Array.from({ length: 5 }, () => attempt(HAYSTACK, { expect: { body: HOSTILE_PATTERN } })),
    );
    expect(all.map(verdict)).toEqual(Array(5).fill('ok'));
    expect(threads).toEqual({ started: 5, now: 0, most: 2 });
  });
});

describe('matching apart', () => {
  function start(source: string, text: string): { result: Promise<boolean>; phases: Phase[]; abort(): void } {
    const abort = new AbortController();
    const phases: Phase[] = [];
    const result = matchApart(source, text, { signal: abort.signal, enter: (phase) => phases.push(phase) });
    result.catch(() => {});
    return { result, phases, abort: () => abort.abort(new Error('over')) };
  }

  test('who waits is in the queue, and leaves it when aborted; who is aborted hands the place on', async () => {
    const text = hostileText(MIB);
    const running = [start(HOSTILE_PATTERN, text), start(HOSTILE_PATTERN, text)];
    const gone = start('a', text);
    const patient = start('a', text);
    expect([running[1]!.phases, gone.phases, patient.phases]).toEqual([['receive'], ['queue'], ['queue']]);
    gone.abort();
    await expect(gone.result).rejects.toThrow('over');
    running[0]!.abort();
    await expect(running[0]!.result).rejects.toThrow('over');
    expect(await patient.result).toBe(true);
    expect(patient.phases).toEqual(['queue', 'receive']);
    running[1]!.abort();
    await expect(running[1]!.result).rejects.toThrow('over');
    expect(threads).toEqual({ started: 3, now: 0, most: 2 });
  });

  test('a thread that dies is our own trouble, and leaves its place', async () => {
    for (let i = 0; i < 3; i++) {
      await expect(start('(', '').result).rejects.toThrow(/^the thread that matched the body died: ./);
    }
    expect(await start('a', 'a').result).toBe(true);
    expect(await start('a', 'b').result).toBe(false);
  });

  test('an attempt that is over starts none', async () => {
    const signal = AbortSignal.abort(new Error('over'));
    await expect(matchApart('a', 'a', { signal, enter: () => {} })).rejects.toThrow('over');
    expect(threads.started).toBe(0);
  });
});
