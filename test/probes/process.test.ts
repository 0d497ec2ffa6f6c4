import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { process as probe } from '../../probes/process/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { findPrograms } from '../support/programs.ts';
import { verdict } from '../support/verdict.ts';

const sleep = findPrograms([{ program: 'sleep', from: 'coreutils' }])?.[0];
const here = existsSync('/proc/self/stat') && sleep !== undefined;

let dir = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vitald-process-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(dir, { recursive: true });
});

/** A name that no other process has. */
function unique(): string {
  return `v${process.pid}${Math.floor(Math.random() * 1e6).toString(36)}`;
}

/** A process of this name that does nothing; its id. */
async function start(name: string, argv0?: string): Promise<number> {
  const program = join(dir, name);
  if (!existsSync(program)) symlinkSync(sleep!, program);
  const child = spawn(program, ['1000'], { stdio: 'ignore', ...(argv0 !== undefined && { argv0 }) });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}

function file(text: string): string {
  const path = join(dir, 'pid');
  writeFileSync(path, text);
  return path;
}

async function ask(settings: unknown): Promise<string> {
  const attempt = await attemptOnce(probe, settings, { timeoutMs: 20_000 });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

/** A dead process whose parent takes no note of it. */
async function zombie(): Promise<number> {
  const child = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return pid;
}

describe.skipIf(!here)('by name', () => {
  test('one, with its facts', async () => {
    const name = unique();
    const pid = await start(name);
    const { outcome } = await attemptOnce(probe, name);
    expect(outcome).toMatchObject({ status: 'ok', message: `process ${pid}` });
    expect(outcome.facts).toMatchObject({ count: 1, pid, threads: 1 });
    expect(outcome.facts?.['rss_bytes']).toBeGreaterThan(10_000);
    expect(outcome.facts?.['age_s']).toBeGreaterThanOrEqual(0);
    expect(outcome.facts?.['age_s']).toBeLessThan(60);
  });

  test('none, and how many there are', async () => {
    const name = unique();
    expect(await ask(name)).toBe(`fail exit explicit: no such process: ${name}`);
    expect(await ask({ name, max: 0 })).toBe('ok: 0 processes');
    await start(name);
    await start(name);
    expect(await ask({ name, min: 2, max: 2 })).toBe('ok: 2 processes');
    expect(await ask({ name, min: 3 })).toBe(
      `fail mismatch explicit: 2 processes, and there should be 3: ${name}`,
    );
    expect(await ask({ name, max: 1 })).toBe(
      `fail mismatch explicit: 2 processes, and there may be 1: ${name}`,
    );
    expect(await ask({ name, max: 0 })).toMatch(/^fail mismatch explicit/);
  });

  test('by what it calls itself, and by a name that the kernel cuts off', async () => {
    const called = unique();
    await start(unique(), `/usr/sbin/${called}`);
    expect(await ask(called)).toMatch(/^ok/);
    const long = `${unique()}-longer-than-fifteen`;
    await start(long);
    expect(await ask(long)).toMatch(/^ok/);
    expect(await ask(`${long.slice(0, 15)}-another`)).toMatch(/^fail exit/);
  });

  test('a name with blanks and parentheses', async () => {
    const name = `${unique().slice(0, 8)}) R (x`;
    await start(name);
    expect(await ask(name)).toMatch(/^ok/);
  });

  test('of a user', async () => {
    const name = unique();
    await start(name);
    const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
    expect(await ask({ name, user: String(process.getuid?.()) })).toMatch(/^ok/);
    expect(await ask({ name, user })).toMatch(/^ok/);
    expect(await ask({ name, user: '54321' })).toBe(`fail exit explicit: no such process: ${name} of 54321`);
    expect(await ask({ name, user: 'nobody-at-all' })).toMatch(
      /^void: our own trouble: .* knows no nobody-at-all/,
    );
  });

  test('the dead do not count', async () => {
    const pid = await zombie();
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    const { outcome } = await attemptOnce(probe, { name, min: 0 });
    expect(outcome.facts?.['pid']).not.toBe(pid);
  });

  test('we ourselves do not', async () => {
    const { outcome } = await attemptOnce(probe, { pattern: '.', min: 0 });
    expect(outcome.status).toBe('ok');
    const trace: TraceEntry[] = [];
    await attemptOnce(probe, { pattern: '.' }, { onTrace: (entry) => trace.push(entry) });
    expect(trace.some((entry) => entry.kind === 'note' && entry.text.startsWith(`${process.pid} `))).toBe(
      false,
    );
  });
});

test.skipIf(!here)('by the command line', async () => {
  const word = unique();
  const child = spawn(sleep!, ['1000', '1000'], { argv0: `python3 /opt/${word}.py`, stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  const trace: TraceEntry[] = [];
  const { outcome } = await attemptOnce(
    probe,
    { pattern: `${word}[.]py 1000` },
    {
      onTrace: (entry) => trace.push(entry),
    },
  );
  expect(outcome).toMatchObject({ status: 'ok', facts: { pid: child.pid } });
  expect(trace).toMatchObject([{ kind: 'note' }, { kind: 'rule', rule: 'min', passed: true, value: '1' }]);
  expect(await ask({ pattern: `${word}[.]rb` })).toMatch(/^fail exit explicit/);
});

describe.skipIf(!here)('by its pid file', () => {
  test('alive', async () => {
    const name = unique();
    const pid = await start(name);
    expect(await ask({ pid_file: file(`${pid}\n`) })).toBe(`ok: process ${pid}`);
    expect(await ask({ pid_file: file(`  ${pid}`) })).toBe(`ok: process ${pid}`);
    // As PostgreSQL writes its own.
    expect(await ask({ pid_file: file(`${pid}\n/var/lib\n1700000000\n5432\n`) })).toBe(`ok: process ${pid}`);
    expect(await ask({ pid_file: file(`${pid}`), name })).toBe(`ok: process ${pid}`);
    const path = file(`${pid}`);
    expect(await ask({ pid_file: path, name: 'another' })).toBe(
      `fail mismatch explicit: ${path} says ${pid}, which is ${name} and not another`,
    );
  });

  test('gone, dead, or not there', async () => {
    const pid = await start(unique());
    const path = file(`${pid}\n`);
    const [child] = children;
    child!.kill('SIGKILL');
    await once(child!, 'exit');
    expect(await ask({ pid_file: path })).toBe(
      `fail exit explicit: ${path} says ${pid}, and there is no such process`,
    );
    const dead = await zombie();
    writeFileSync(path, String(dead));
    expect(await ask({ pid_file: path })).toBe(
      `fail exit explicit: ${path} says ${dead}, which is dead (a zombie)`,
    );
    expect(await ask({ pid_file: join(dir, 'none') })).toBe(
      `fail exit explicit: there is no ${join(dir, 'none')}`,
    );
    expect(await ask({ pid_file: join(path, 'none') })).toMatch(/^fail exit explicit/);
  });

  test('a thread is no process', async () => {
    // This runner has threads of its own; the process of a thread is another number.
    const threads = execFileSync('ls', [`/proc/${process.pid}/task`], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
    const thread = threads.find((id) => Number(id) !== process.pid);
    if (thread === undefined) return;
    expect(await ask({ pid_file: file(thread) })).toMatch(/^fail exit explicit: .* no such process$/);
  });

  test.each([
    ['', 'is empty'],
    ['\n\n', 'is empty'],
    ['nginx', 'does not begin with a process id'],
    ['-1', 'does not begin with a process id'],
    ['0', 'does not begin with a process id'],
    ['12x', 'does not begin with a process id'],
    ['99999999', 'does not begin with a process id'],
    ['\u0000\u0000', 'does not begin with a process id'],
  ])('%j in it', async (text, what) => {
    const path = file(text);
    expect(await ask({ pid_file: path })).toBe(`fail mismatch explicit: ${path} ${what}`);
  });

  test('what is no file', async () => {
    const path = join(dir, 'sub');
    mkdirSync(path);
    expect(await ask({ pid_file: path })).toBe(`fail mismatch explicit: ${path} is a directory`);
    const fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(await ask({ pid_file: fifo })).toBe(`fail mismatch explicit: ${fifo} is empty`);
    expect(await ask({ pid_file: '/dev/zero' })).toMatch(/^fail mismatch explicit/);
  });
});

test.skipIf(!here)('many at once read the table together', async () => {
  const name = unique();
  const asked = Array.from({ length: 50 }, () => ask({ name, max: 0 }));
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['ok: 0 processes']));
});

test.each([
  [{}, 'process needs a pid_file, a name or a pattern'],
  [{ name: 'a', pattern: 'b' }, 'pattern stands alone'],
  [{ name: '/usr/bin/a' }, 'a name of a process has no slash'],
  [{ pid_file: '/a', min: 1 }, 'a pid_file names one process'],
  [{ name: 'a', min: 3, max: 2 }, 'min 3 is above max 2'],
  [{ pattern: '(' }, 'the pattern does not compile: error parsing regexp: missing closing ): `(`'],
])('%j: %s', (written, message) => {
  expect(probe.settings.safeParse(written).error?.issues[0]?.message).toBe(message);
});
