import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { attemptOf, runScript, startScript } from '../../support/script.ts';
import { verdict } from '../../support/verdict.ts';

/** What a script does wrong costs one attempt of its own. */

const THREADS = `import { threadId } from 'node:worker_threads'; import v8 from 'node:v8';`;
const fine = attemptOf('return ok(String(threadId))', THREADS);

async function threadOfNext(): Promise<string> {
  const attempt = await runScript(fine);
  expect(attempt.outcome.status).toBe('ok');
  return attempt.outcome.message;
}

test.each([
  ['loops for ever', 'for (;;);'],
  ['awaits for ever', 'await new Promise(() => {})'],
  ['spins in microtasks', 'for (;;) await 0;'],
  ['blocks in a wait', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
  ['loops inside a regex', `/^(a+)+$/.test('a'.repeat(60) + 'b'); return ok('x')`],
  ['catches everything', 'for (;;) try { for (;;); } catch {} finally { continue }'],
])('one that %s is settled at the timeout, and its thread ended', async (_, body) => {
  const before = await threadOfNext();
  const attempt = await runScript(attemptOf(body), { timeoutMs: 1_500 });
  expect(verdict(attempt)).toBe('fail timeout silent');
  expect(await threadOfNext()).not.toBe(before);
});

test('one that heeds its signal keeps its thread', async () => {
  const before = await threadOfNext();
  const heeds = attemptOf(`
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return ok('too late');
  `);
  expect(verdict(await runScript(heeds, { timeoutMs: 1_500 }))).toBe('fail timeout silent');
  expect(await threadOfNext()).toBe(before);
});

test('one that is called off ends, too', async () => {
  const run = startScript(attemptOf('for (;;);'));
  run.cancel();
  expect(await run.settled).toBeNull();
  await run.ended;
});

test.each([
  ['objects', 'const l = []; for (;;) l.push({ a: 1, b: [1, 2, 3] });'],
  ['a map', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, i);'],
  ['one large array', 'const a = new Array(3e7).fill(1.5); for (;;) a.push(1);'],
  ['buffers', 'const l = []; for (;;) l.push(Buffer.alloc(1e6, 1));'],
  [
    'buffers, bit by bit',
    'const l = []; for (;;) { l.push(Buffer.alloc(1e6, 1)); await new Promise(setImmediate); }',
  ],
  ['objects in microtasks', 'const l = []; for (;;) { l.push(new Array(1000).fill(l.length)); await 0; }'],
  [
    'an answer',
    `return ok('x', { f: await new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1e6)) } })).text() })`,
  ],
])('one that leaks %s is void, and the process lives', async (_, body) => {
  const before = await threadOfNext();
  const attempt = await runScript(attemptOf(body));
  expect(attempt.outcome).toEqual({
    status: 'void',
    message: 'our own trouble: probe.mjs took more memory than 64MiB',
  });
  expect(await threadOfNext()).not.toBe(before);
});

test('one that computes while another one leaks is not taken for it', async (context) => {
  context.skip(!existsSync('/proc/thread-self'), 'this system does not tell what a thread touches');
  const computes = startScript(
    attemptOf('for (const end = clock.now() + 2500; clock.now() < end; ); return ok("x")'),
  );
  const leaks = await runScript(attemptOf('const l = []; for (;;) l.push({ a: 1, b: [1, 2, 3] });'));
  expect(leaks.outcome.message).toContain('took more memory');
  expect((await computes.settled)?.outcome).toEqual({ status: 'ok', message: 'x' });
});

test('scripts step back behind the agent, which keeps its priority', async (context) => {
  context.skip(process.platform !== 'linux', 'only Linux has priorities of threads');
  const { outcome } = await runScript(
    attemptOf('return ok(String(os.getPriority()))', `import os from 'node:os';`),
  );
  expect(Number(outcome.message)).toBe(Math.min(19, getPriority() + 10));
});

test('what an attempt leaves behind in memory is not left to the next script', async () => {
  const before = await threadOfNext();
  const hoards = attemptOf(`hoard.push(new Array(5e6).fill(0)); return ok('x')`, 'const hoard = [];');
  expect((await runScript(hoards)).outcome.status).toBe('ok');
  expect(await threadOfNext()).not.toBe(before);
});

test.each([
  ['process.exit(3)', /probe\.mjs ended its thread, exit 3/],
  [
    `setTimeout(() => { throw new Error('late') }, 1); await new Promise(() => {})`,
    /threw outside of its attempt: Error: late/,
  ],
  [
    `void Promise.reject(new Error('unheard')); await new Promise(() => {})`,
    /threw outside of its attempt: Error: unheard/,
  ],
  [`setTimeout(() => { throw null }, 1); await new Promise(() => {})`, /threw outside of its attempt: null/],
  [
    `setTimeout(() => { throw { message: 7, stack: {}, name: [], toString: 1 } }, 1); await new Promise(() => {})`,
    /an object that is no error/,
  ],
  [`const f = () => [f()]; f()`, /threw: RangeError: Maximum call stack/],
  [`process.abort()`, /threw: TypeError/],
])('a crash is void: %s', async (body, message) => {
  const attempt = await runScript(attemptOf(body));
  expect(attempt.outcome).toMatchObject({ status: 'void', message: expect.stringMatching(message) });
  await threadOfNext();
});

test('a script is not blamed for what another one left behind', async () => {
  // Both use the same thread: there is only one warm.
  const leaves = attemptOf(
    `
    globalThis.bomb = () => setTimeout(() => { throw new Error('not mine') }, 1);
    return ok(String(threadId));
  `,
    THREADS,
  );
  const first = (await runScript(leaves)).outcome.message;
  const victim = attemptOf(
    `
    globalThis.bomb?.();
    if (globalThis.bomb) await new Promise(() => {});
    return ok(String(threadId));
  `,
    THREADS,
  );
  const { outcome, troubles } = await runScript(victim);
  expect(outcome.status).toBe('ok');
  expect(outcome.message).not.toBe(first);
  expect(troubles).toEqual([]);
});

test.each([
  `const { parentPort } = await import('node:worker_threads');
   for (let i = 0; i < 1000; i++) parentPort.postMessage('x'.repeat(1e5)); return ok('x')`,
  `const { workerData } = await import('node:worker_threads'); return ok(workerData.port === undefined ? 'x' : 'y')`,
  `JSON.stringify = () => 'x'; Object.entries = () => { throw 1 }; return { status: 'ok', message: 'x' }`,
  `MessagePort.prototype.postMessage = () => { throw 1 }; return ok('x')`,
  `Array.prototype.push = () => { for (;;); }; return ok('x')`,
  `process.stdout.write = undefined; return ok('x')`,
])('what is ours stays out of its reach: %s', async (body) => {
  expect((await runScript(attemptOf(body))).outcome).toEqual({ status: 'ok', message: 'x' });
  // What it broke is in its thread: a fresh one serves those who come after it.
  await runScript(attemptOf('process.exit()'));
});

test.each([`return { get status() { for (;;); } }`, `return new Proxy({}, { get() { for (;;); } })`])(
  'reading what it returned is its own time: %s',
  async (body) => {
    expect(verdict(await runScript(attemptOf(body), { timeoutMs: 1_500 }))).toBe('fail timeout silent');
  },
);
