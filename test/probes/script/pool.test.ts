import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Pool, createPool } from '../../../probes/script/pool.ts';
import { scriptProbe } from '../../../probes/script/probe.ts';
import { createSystemClock } from '../../../src/runtime/system-clock.ts';
import { runCli } from '../../support/cli.ts';
import { attemptOf, runScript, startScript } from '../../support/script.ts';
import { yamlFile } from '../../support/yaml-file.ts';

/** The threads: how many, whose, and for how long. */

const IMPORTS = `import { threadId } from 'node:worker_threads';`;
const clock = createSystemClock();

interface Ran {
  readonly said: string;
  readonly queued: number;
}

interface Options {
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  readonly onBegun?: () => void;
}

async function run(
  pool: Pool,
  file: string,
  { signal = new AbortController().signal, onBegun = () => {}, now = () => clock.now() }: Options = {},
): Promise<Ran> {
  let queued = 0;
  const answer = await pool.run({ file, given: '{}', target: 't', traced: false }, () => 20_000, {
    signal,
    clock: { ...clock, now },
    onQueued: () => queued++,
    onBegun,
    onPrinted: () => {},
  });
  return { said: answer.kind === 'returned' ? answer.outcome.message : answer.kind, queued };
}

/** A FIFO to which nobody writes: who reads it is stuck. */
function fifoNowhere(): string {
  const fifo = join(mkdtempSync(join(tmpdir(), 'vitald-')), 'fifo');
  execFileSync('mkfifo', [fifo]);
  return fifo;
}

function readsFrom(fifo: string): string {
  return attemptOf(`readFileSync('${fifo}')`, `import { readFileSync } from 'node:fs';`);
}

/** Waits for something of which nobody tells. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

function systemThreads(): number {
  return readdirSync('/proc/self/task').length;
}

test('a hundred scripts share the threads that are allowed, and all come to their turn', async () => {
  const pool = createPool({ most: 3 });
  const files = Array.from({ length: 100 }, (_, i) => attemptOf(`return ok(threadId + ' ' + ${i})`, IMPORTS));
  const all = Promise.all(files.map((file) => run(pool, file)));
  expect(pool.counts()).toEqual({ busy: 3, idle: 0, waiting: 97 });
  const said = (await all).map(({ said }) => said.split(' '));
  expect(new Set(said.map(([thread]) => thread)).size).toBe(3);
  expect(said.map(([, i]) => Number(i))).toEqual(files.map((_, i) => i));
  expect(pool.counts()).toEqual({ busy: 0, idle: 3, waiting: 0 });
  await pool.clear();
});

test('a script goes to a thread that has it loaded; one after the other takes one thread', async () => {
  const pool = createPool({ most: 4 });
  const meet = (name: string): string => attemptOf(`return ok(String(threadId))`, `${IMPORTS} // ${name}`);
  const [a, b] = [meet('a'), meet('b')];
  const [first, second] = await Promise.all([run(pool, a), run(pool, b)]);
  expect(first.said).not.toBe(second.said);
  for (const [file, { said }] of [
    [a, first],
    [a, first],
    [b, second],
    [a, first],
  ] as const) {
    expect((await run(pool, file)).said).toBe(said);
  }
  expect(pool.counts().idle).toBe(2);
  await pool.clear();
});

test('threads that nobody needs end, and leave nothing behind', async () => {
  const pool = createPool({ most: 4, idleMs: 20 });
  const file = attemptOf('return ok("x")');
  await run(pool, file);
  await until(() => pool.counts().idle === 0);
  await run(pool, file);
  await pool.clear();
  const before = systemThreads();
  await Promise.all(Array.from({ length: 4 }, () => run(pool, file)));
  expect(systemThreads()).toBeGreaterThan(before);
  await until(() => systemThreads() <= before);
  expect(pool.counts()).toEqual({ busy: 0, idle: 0, waiting: 0 });
});

test('one that crashes again and again rests without a thread, and is tried again afterwards', async () => {
  const pool = createPool({ most: 1 });
  const crashes = attemptOf('process.exit()');
  for (let strike = 1; strike <= 3; strike++)
    expect((await run(pool, crashes, { now: () => 0 })).said).toBe('exit');
  const at = async (ms: number): Promise<string> => (await run(pool, crashes, { now: () => ms })).said;
  expect(await at(1_999)).toBe('resting');
  expect(pool.counts()).toEqual({ busy: 0, idle: 0, waiting: 0 });
  expect((await run(pool, attemptOf('return ok("another")'))).said).toBe('another');
  expect(await at(2_000)).toBe('exit');
  expect(await at(5_999)).toBe('resting');
  await pool.clear();
});

test('one that lets its signal pass while it waits does not rest: its target may hang', async () => {
  const pool = createPool({ most: 1 });
  const waits = attemptOf('await new Promise(() => {})');
  for (let times = 0; times < 4; times++) {
    const abort = new AbortController();
    const onBegun = (): void => abort.abort();
    expect((await run(pool, waits, { signal: abort.signal, onBegun })).said).toBe('ended');
  }
  await pool.clear();
});

test('scripts that only wait hold up no others, as long as there is memory for their threads', async () => {
  const pool = createPool({ most: 2, mostInAll: 4 });
  const abort = new AbortController();
  const waits = attemptOf(
    'await new Promise((resolve) => signal.addEventListener("abort", resolve)); return ok("late")',
  );
  const waiting = Array.from({ length: 3 }, () => run(pool, waits, { signal: abort.signal }));
  expect(pool.counts()).toEqual({ busy: 2, idle: 0, waiting: 1 });
  expect((await run(pool, attemptOf('return ok("x")'))).said).toBe('x');
  const loops = new AbortController();
  let begun = false;
  const looping = run(pool, attemptOf('for (;;);'), { signal: loops.signal, onBegun: () => (begun = true) });
  await until(() => begun && pool.counts().busy === 4);
  const fifth = run(pool, attemptOf('return ok("y")'));
  await until(() => pool.counts().waiting === 1);
  loops.abort();
  expect((await looping).said).toBe('blocked');
  expect((await fifth).said).toBe('y');
  abort.abort();
  expect((await Promise.all(waiting)).map(({ said }) => said)).toEqual(['late', 'late', 'late']);
  await pool.clear();
});

test('one that waits can be called off, and who is behind it is not held up', async () => {
  const pool = createPool({ most: 1 });
  const blocks = new AbortController();
  let begun = (): void => {};
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const running = run(pool, attemptOf('for (;;);'), { signal: blocks.signal, onBegun: begun });
  const off = new AbortController();
  const waits = run(pool, attemptOf('return ok("x")'), { signal: off.signal });
  const behind = run(pool, attemptOf('return ok("behind")'));
  off.abort(new Error('off'));
  await expect(waits).rejects.toThrow('off');
  expect(pool.counts()).toEqual({ busy: 1, idle: 0, waiting: 1 });
  await hasBegun;
  blocks.abort();
  expect((await running).said).toBe('blocked');
  expect((await behind).said).toBe('behind');
  await pool.clear();
});

test('one that is stuck in a call that cannot be interrupted keeps its place, and others are told why they get none', async () => {
  const pool = createPool({ most: 1, stuckMs: 0 });
  const abort = new AbortController();
  const fifo = fifoNowhere();
  const stuck = run(pool, readsFrom(fifo), { signal: abort.signal, onBegun: () => abort.abort() });
  const next = attemptOf('return ok("next")');
  const impatient = (): Promise<string> =>
    run(pool, next, { signal: AbortSignal.timeout(20) }).then(
      ({ said }) => said,
      () => 'waited',
    );
  let said = 'waited';
  while (said === 'waited') said = await impatient();
  expect(said).toBe('stuck');
  const before = systemThreads();
  await Promise.all(Array.from({ length: 20 }, impatient));
  expect(systemThreads()).toBe(before);
  writeFileSync(fifo, '');
  expect((await stuck).said).toBe('blocked');
  expect((await run(pool, next)).said).toBe('next');
  await pool.clear();
});

test.each([
  ['is never done', 'setTimeout(() => { for (;;); })'],
  ['keeps on growing', 'const l = []; setInterval(() => l.push(Buffer.alloc(1e6, 1)), 1)'],
])('a thread on which a script leaves something behind that %s ends', async (_, body) => {
  const pool = createPool({ most: 1 });
  expect((await run(pool, attemptOf(`${body}; return ok("x")`))).said).toBe('x');
  await until(() => pool.counts().idle === 0);
  expect((await run(pool, attemptOf('return ok("y")'))).said).toBe('y');
  await pool.clear();
});

test('a thread that dies idle is missed by nobody', async () => {
  const pool = createPool({ most: 1 });
  await run(pool, attemptOf('setTimeout(() => process.exit(), 1); return ok("x")'));
  await until(() => pool.counts().idle === 0);
  expect((await run(pool, attemptOf('return ok("y")'))).said).toBe('y');
  await pool.clear();
});

test('waiting for a thread is our own trouble, and void at the deadline', async () => {
  const script = scriptProbe(createPool({ most: 1 }));
  const hogs = startScript(attemptOf('for (;;);'), { script });
  const { outcome, phases } = await runScript(attemptOf('return ok("x")'), { script, timeoutMs: 50 });
  expect(outcome.status).toBe('void');
  expect(outcome.message).toContain('did not get its turn');
  expect(Object.keys(phases)).toEqual(['queue']);
  hogs.cancel();
  await hogs.ended;
});

test('a script that takes longer to load than its timeout is loaded all the same, for the next attempt', async () => {
  const script = scriptProbe(createPool({ most: 1 }));
  const flag = join(mkdtempSync(join(tmpdir(), 'vitald-')), 'flag');
  const file = attemptOf(
    'return ok(threadId + " " + loadedAt)',
    `${IMPORTS} import { existsSync } from 'node:fs';
     while (!existsSync('${flag}')) await new Promise(setImmediate);
     const loadedAt = performance.now();`,
  );
  const first = startScript(file, { script, timeoutMs: 50 });
  expect((await first.settled)?.outcome.status).toBe('void');
  writeFileSync(flag, '');
  await first.ended;
  const second = await runScript(file, { script });
  expect(second.outcome.status).toBe('ok');
  expect((await runScript(file, { script })).outcome).toEqual(second.outcome);
});

test('a script that never comes to its end of loading is given up', async () => {
  const pool = createPool({ most: 1, loadingMs: 50 });
  const abort = new AbortController();
  const loads = run(pool, attemptOf('', 'for (;;);'), { signal: abort.signal });
  await Promise.resolve();
  abort.abort();
  // Its loop may have come round while the file was being read.
  expect((await loads).said).toMatch(/^(ended|blocked)$/);
  expect((await run(pool, attemptOf('return ok("next")'))).said).toBe('next');
  await pool.clear();
});

test.each(['for (;;);', 'await new Promise(() => {})', 'setInterval(() => {}, 1); return ok("x")'])(
  'the process ends with its work: %s',
  async (body) => {
    const file = attemptOf(body);
    const yaml = yamlFile(`targets: [{ name: a, timeout: 2s, script: "${file}" }]`);
    const { code, stdout, stderr } = await runCli(['once', yaml]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/ (fail|ok) /);
    expect(code).toBe(stdout.includes(' fail ') ? 1 : 0);
  },
);

test('the process ends with its work, and its code, also where a script is stuck in a call', async () => {
  const file = readsFrom(fifoNowhere());
  const yaml = yamlFile(`targets: [{ name: a, timeout: 2s, script: "${file}" }]`);
  const { code, stdout, stderr } = await runCli(['once', yaml]);
  expect(stderr).toBe('');
  expect(stdout).toContain(' fail ');
  expect(code).toBe(1);
});
