import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import {
  type Command,
  type Exit,
  firstLine,
  killAll,
  minimalEnvironment,
  run,
} from '../../src/process/command.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { eventually } from '../support/eventually.ts';

const noSetsid = spawnSync('/bin/sh', ['-c', 'command -v setsid']).status !== 0;
// oxlint-disable-next-line no-console
if (noSetsid) console.warn('command.test.ts skips a test: there is no setsid here');

const clock = createSystemClock();
const dir = mkdtempSync(join(tmpdir(), 'vitald-'));
afterEach(killAll);
afterAll(() => rmSync(dir, { recursive: true }));

function shell(script: string, rest: Partial<Command> = {}): Command {
  return { argv: ['/bin/sh', '-c', script], cwd: dir, env: minimalEnvironment(), ...rest };
}

function ran(script: string, rest: Partial<Command> = {}): Promise<Exit> {
  return run(shell(script, rest), { signal: new AbortController().signal, clock });
}

/** Whether a process is there and has not ended: one that waits to be reaped has. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The pids that a script has written into files, once it has written all of them. */
function pidsIn(...names: string[]): Promise<number[]> {
  return eventually(() =>
    names.map((name) => {
      const pid = Number(readFileSync(join(dir, name), 'utf8'));
      if (!(pid > 0)) throw new Error(`${name} is empty`);
      return pid;
    }),
  );
}

function gone(pids: readonly number[]): Promise<void> {
  return eventually(() => expect(pids.filter(lives)).toEqual([]));
}

describe('what comes back', () => {
  test.each([
    ['exit 0', { code: 0, signal: null, stdout: '', stderr: '' }],
    ['echo out; echo err >&2; exit 7', { code: 7, signal: null, stdout: 'out\n', stderr: 'err\n' }],
    ['kill -KILL $$', { code: null, signal: 'SIGKILL', stdout: '', stderr: '' }],
    ['echo said; kill -TERM $$', { code: null, signal: 'SIGTERM', stdout: 'said\n', stderr: '' }],
    ['cat; echo end', { code: 0, signal: null, stdout: 'end\n', stderr: '' }],
    ['pwd -P', { code: 0, signal: null, stdout: `${dir}\n`, stderr: '' }],
  ])('%s', async (script, expected) => expect(await ran(script)).toEqual(expected));

  test('the environment is what was asked for and nothing else', async () => {
    vi.stubEnv('VITALD_TEST_LEAK', '1');
    const { stdout } = await ran('env', { env: { ...minimalEnvironment(), A: 'b c' } });
    vi.unstubAllEnvs();
    const names = stdout.match(/^[A-Z_]+(?==)/gm)!;
    expect(stdout).toContain('A=b c\n');
    expect(
      names.filter((name) => !['A', 'PATH', 'HOME', 'LANG', 'PWD', 'SHLVL', '_', 'OLDPWD'].includes(name)),
    ).toEqual([]);
  });

  test('input goes to stdin, which is then closed', async () => {
    expect((await ran('cat', { input: 'x'.repeat(50_000) })).stdout).toHaveLength(50_000);
  });

  test('a command that does not read its input, and more of it than the pipe holds', async () => {
    expect((await ran('exec <&-; exit 3', { input: 'x'.repeat(1_000_000) })).code).toBe(3);
  });

  test('64KiB of output are kept, megabytes are drained', async () => {
    const megabytes = 'head -c 5000000 /dev/zero | tr "\\0" a';
    const exit = await ran(`${megabytes}; (${megabytes}) >&2; echo reached >reached; exit 4`);
    expect([exit.code, exit.stdout.length, exit.stderr.length]).toEqual([4, 65_536, 65_536]);
    expect(existsSync(join(dir, 'reached'))).toBe(true);
  });

  test.each([
    ['a program that is not there', { argv: ['/nowhere/x'] }, 'ENOENT'],
    // EACCES where PATH has a directory that we may not enter.
    ['a name that is not in PATH', { argv: ['no-such-program-anywhere'] }, /ENOENT|EACCES/],
    ['a directory', { argv: ['/'] }, 'EACCES'],
    ['a working directory that is not there', { cwd: '/nowhere' }, 'ENOENT'],
    ['a NUL in an argument', { argv: ['/bin/echo', 'a\0b'] }, 'null bytes'],
  ] as [string, Partial<Command>, string | RegExp][])('%s rejects', async (_what, command, message) => {
    await expect(ran('', command)).rejects.toThrow(message);
  });
});

describe('children left behind', () => {
  test('one that holds the pipe does not delay the end, and lives on', async () => {
    const exit = await ran('sleep 300 & echo $! >left; echo done');
    expect(exit).toMatchObject({ code: 0, stdout: 'done\n' });
    const pids = await pidsIn('left');
    expect(pids.filter(lives)).toEqual(pids);
    process.kill(pids[0]!, 'SIGKILL');
  });

  test('a daemon that forks twice and keeps the pipe does not, either', async () => {
    const exit = await ran('(sleep 300 & echo $! >daemon) & wait; echo up');
    expect(exit).toMatchObject({ code: 0, stdout: 'up\n' });
    const pids = await pidsIn('daemon');
    expect(pids.filter(lives)).toEqual(pids);
    process.kill(pids[0]!, 'SIGKILL');
  });

  test('where our loop was late, what waits to be read is read', async () => {
    let time = 0;
    const timers: (() => void)[] = [];
    const late: Clock = {
      ...clock,
      now: () => time,
      schedule: (_at, callback) => {
        timers.push(callback);
        return () => {};
      },
    };
    const ended = run(shell('(until [ -e read-on ]; do sleep 0.01; done; echo second) & echo first'), {
      signal: new AbortController().signal,
      clock: late,
    });
    await eventually(() => expect(timers).toHaveLength(1));
    time = 1_000;
    timers[0]!();
    expect(timers).toHaveLength(2);
    writeFileSync(join(dir, 'read-on'), '');
    expect(await ended).toMatchObject({ code: 0, stdout: 'first\nsecond\n' });
  });

  test.skipIf(noSetsid)('who has left the group is out of our reach: nobody waits for it', async () => {
    const abort = new AbortController();
    const script = 'setsid sh -c "echo \\$\\$ >left-group; exec sleep 300" & sleep 300';
    const ended = run(shell(script), { signal: abort.signal, clock });
    const pids = await pidsIn('left-group');
    abort.abort();
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
    expect(pids.filter(lives)).toEqual(pids);
    process.kill(pids[0]!, 'SIGKILL');
  });
});

describe('abort', () => {
  test('TERM goes to the whole group, grandchildren included', async () => {
    const abort = new AbortController();
    const ended = run(shell('(sleep 300 & echo $! >grand; wait) & echo $! >child; echo $$ >leader; wait'), {
      signal: abort.signal,
      clock,
    });
    const pids = await pidsIn('grand', 'child', 'leader');
    expect(pids.filter(lives)).toEqual(pids);
    abort.abort();
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
    await gone(pids);
  });

  test('who ignores TERM gets KILL after its time, not before; output up to then is kept', async () => {
    const abort = new AbortController();
    const fake = createFakeClock();
    const script = "trap 'echo termed' TERM; echo $$ >deaf; while :; do sleep 0.01; done";
    const ended = run(shell(script), { signal: abort.signal, clock: fake });
    const pids = await pidsIn('deaf');
    abort.abort();
    await fake.advance(999);
    expect(pids.filter(lives)).toEqual(pids);
    await fake.advance(1);
    const exit = await ended;
    expect(exit.signal).toBe('SIGKILL');
    await gone(pids);
    expect(fake.pending).toBe(0);
  });

  test('a leader that goes at TERM takes a grandchild along that does not', async () => {
    const abort = new AbortController();
    const script = '(trap "" TERM; echo $$ >own; while :; do sleep 0.01; done) & echo $! >deaf-child; wait';
    const ended = run(shell(script), { signal: abort.signal, clock });
    const pids = await pidsIn('deaf-child', 'own');
    abort.abort();
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
    await gone(pids);
  });

  test('a grandchild that takes its time to end is waited for no longer than it takes', async () => {
    const abort = new AbortController();
    const fake = createFakeClock();
    const slow =
      '(trap "" TERM; echo $$ >slow; until [ -e go-now ]; do sleep 0.01; done) & echo $! >slow-child';
    const ended = run(shell(`${slow}; wait`), { signal: abort.signal, clock: fake });
    let open = true;
    void ended.then(() => (open = false));
    const pids = await pidsIn('slow-child', 'slow');
    abort.abort();
    await eventually(() => expect(fake.pending).toBe(2));
    await fake.advance(100);
    expect(open).toBe(true);
    writeFileSync(join(dir, 'go-now'), '');
    await gone(pids);
    // An init that does not bury orphans leaves the group listed: then it takes until KILL.
    await fake.advance(existsSync(`/proc/${pids[0]}`) ? 1_000 : 25);
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
    expect(fake.pending).toBe(0);
  });

  test.skipIf(noSetsid)('nobody waits for a dead member that its own parent does not reap', async () => {
    const abort = new AbortController();
    const kid = '(sleep 300 & echo $! >unreaped; exec setsid sleep 300) & echo $! >careless';
    const script = `trap "" TERM; ${kid}; echo $$ >stubborn; while :; do sleep 0.01; done`;
    const ended = run(shell(script), { signal: abort.signal, clock });
    const pids = await pidsIn('stubborn', 'unreaped');
    const [careless] = await pidsIn('careless');
    const group = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[4]!;
    await eventually(() => expect(group(careless!)).toBe(String(careless)));
    abort.abort();
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    await gone(pids);
    process.kill(careless!, 'SIGKILL');
  });

  test('before the start', async () => {
    expect(await run(shell('sleep 300'), { signal: AbortSignal.abort(), clock })).toMatchObject({
      code: null,
    });
  });

  test('after the end: nothing is left to hear it', async () => {
    const abort = new AbortController();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const add = vi.spyOn(abort.signal, 'addEventListener');
    await run(shell('exit 0'), { signal: abort.signal, clock });
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls.map(([, listener]) => listener)).toContain(add.mock.calls[0]![1]);
    abort.abort();
  });

  test('killAll ends everything that runs, at once', async () => {
    const { signal } = new AbortController();
    const deaf = (n: number): string => `trap "" TERM; echo $$ >all-${n}; while :; do sleep 0.01; done`;
    const ended = Promise.all([1, 2].map((n) => run(shell(deaf(n)), { signal, clock })));
    const pids = await pidsIn('all-1', 'all-2');
    killAll();
    expect((await ended).map(({ signal: killedBy }) => killedBy)).toEqual(['SIGKILL', 'SIGKILL']);
    await gone(pids);
  });
});

test.each([
  [{ stdout: 'a\nb', stderr: 'c' }, 'a'],
  [{ stdout: '\n  \n b \n', stderr: 'c' }, 'b'],
  [{ stdout: ' \n', stderr: '\nc\nd' }, 'c'],
  [{ stdout: '', stderr: '' }, ''],
  [{ stdout: 'a\r\nb', stderr: '' }, 'a'],
  [{ stdout: 'x'.repeat(600), stderr: '' }, 'x'.repeat(500)],
])('the first line of %j', (exit, line) => expect(firstLine(exit)).toBe(line));
