import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** A real server as a process of ours, in a process group of its own. */
export interface RealServer {
  readonly port: number;
  /** Its process, as of the last start. */
  pid(): number;
  /** Resolves once it answers. */
  start(): Promise<void>;
  /** Resolves once it has ended and its port refuses. */
  stop(): Promise<void>;
  freeze(): void;
}

export interface ServerOptions {
  readonly argv: readonly [string, ...string[]];
  readonly port: number;
  readonly cwd: string;
  /** Whom to run it as, where it refuses to be root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** What ends it at once, KILL by default: for those with children outside of their process group. */
  readonly stopSignal?: NodeJS.Signals;
  /** Whether it serves by now; asked again and again. A completed connect is enough unless told otherwise. */
  readonly answers?: () => Promise<boolean>;
}

/** These bound a hang, they time nothing. */
const PATIENCE_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

const POLL_MS = 25;

/** Process groups that are there, with what ends them. */
const groups = new Map<number, NodeJS.Signals>();
const pidFiles = new Set<string>();
const directories = new Set<string>();

afterEach(async () => {
  takeOver();
  await Promise.all([...groups].map(([pid, signal]) => endGroup(pid, signal)));
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  directories.clear();
});

// A worker that is stopped in the middle of a test comes past here only.
process.on('exit', () => {
  takeOver();
  for (const [pid, signal] of groups) {
    signalGroup(pid, signal);
    signalGroup(pid, 'SIGCONT');
  }
});

/** A directory of the test's own; it goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'vitald-real-'));
  directories.add(directory);
  return directory;
}

/** Each of vitest's workers has ports of its own. */
const WORKERS = 10;
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
const given = new Set<number>();

/**
 * A port of loopback on which nothing listens, outside of the range that outgoing connections take theirs from: nobody
 * else gets it while its server is down, or has not come up yet.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + WORKERS * Math.floor(Math.random() * 2_000) + worker;
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export function realServer(options: ServerOptions): RealServer {
  const { argv, port, cwd, user, stopSignal = 'SIGKILL', answers = () => accepts(port) } = options;
  const [file, ...args] = argv;
  let child: ChildProcess | undefined;

  function pid(): number {
    if (child?.pid === undefined) throw new Error(`${file} has not been started`);
    return child.pid;
  }

  return {
    port,
    pid,
    async start() {
      const mine = spawn(file, args, { ...user, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      child = mine;
      let output = '';
      let ended: string | undefined;
      for (const stream of [mine.stdout, mine.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output = (output + chunk).slice(-4_000);
        });
      }
      mine.once('error', (error) => {
        ended = error.message;
      });
      mine.once('exit', (code, signal) => {
        ended = `exit ${signal ?? code}`;
      });
      if (mine.pid !== undefined) groups.set(mine.pid, stopSignal);
      await until(`${file} to answer on port ${port}`, async () => {
        if (ended !== undefined) throw new Error(`${file} ended: ${ended}\n${output}`);
        return await answers();
      });
    },
    async stop() {
      await endGroup(pid(), stopSignal);
      await until(`port ${port} to refuse`, async () => !(await accepts(port)));
    },
    freeze() {
      signalGroup(pid(), 'SIGSTOP');
    },
  };
}

/** A line for the shell that wakes a frozen server; where it has ended, there is nothing to wake, and that is fine. */
export function wake(server: RealServer): string {
  return `kill -s CONT -- -${server.pid()} 2>/dev/null || true`;
}

/** A server that a step starts, in a process group of its own, ends with the test as well: whatever this file names. */
export function adopt(pidFile: string): void {
  pidFiles.add(pidFile);
}

/** Asks again and again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function endGroup(pid: number, signal: NodeJS.Signals): Promise<void> {
  signalGroup(pid, signal);
  signalGroup(pid, 'SIGCONT');
  const last = setTimeout(() => signalGroup(pid, 'SIGKILL'), STOP_WITHIN_MS);
  await until(`process ${pid} to end`, () => Promise.resolve(!lives(pid)));
  clearTimeout(last);
  groups.delete(pid);
}

function takeOver(): void {
  for (const file of pidFiles) {
    const pid = existsSync(file) ? pidIn(file) : 0;
    if (pid > 1) groups.set(pid, 'SIGKILL');
  }
  pidFiles.clear();
}

/** The first line of such a file; PostgreSQL writes more into it. */
export function pidIn(file: string): number {
  return Number.parseInt(readFileSync(file, 'utf8'), 10);
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: it has gone already.
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // Not every container has an init that buries what a hook has left behind.
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No /proc here: then it is a child of ours, which is buried at once.
    return true;
  }
}
