import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

/** The built entry, as a user gets it: `npm run build` makes it, `npm test` does that first. */
export const BIN = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));

/** How long to wait for a log record: bounds a hang, times nothing. */
const PATIENCE_MS = 60_000;

/** How much of the log an error shows, in records. */
const SHOWN = 30;

/** A line of the JSON log. */
export interface LogRecord {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WaitOptions {
  /** Looks only at what was logged after this record. */
  readonly after?: LogRecord;
  readonly withinMs?: number;
}

export interface RunningAgent {
  readonly pid: number;
  /** Every record so far; it grows. */
  readonly records: readonly LogRecord[];
  /** The first record that matches, also one that is here already. Rejects when the agent ends without it. */
  waitFor(predicate: (record: LogRecord) => boolean, options?: WaitOptions): Promise<LogRecord>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once the process has ended and all of its output was read. */
  readonly exited: Promise<Exit>;
  stderr(): string;
}

export interface CliOptions {
  /** On top of our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const running = new Map<Child, Promise<Exit>>();

afterEach(async () => {
  await Promise.all([...running].map(([child, exited]) => end(child, exited)));
});

// A worker that is stopped in the middle of a test comes past here only.
process.on('exit', () => {
  for (const child of running.keys()) child.kill('SIGKILL');
});

/** `vitald ...` as a process that goes on, its log read as JSON lines: `startAgent(['run', file, '--log', 'json'])`. */
export function startAgent(args: readonly string[], options: CliOptions = {}): RunningAgent {
  const { child, exited, stderr } = launch(args, options);
  child.stdin.end();
  const records: LogRecord[] = [];
  const waiting = new Set<() => void>();
  let exit: Exit | undefined;

  function wake(): void {
    for (const look of waiting) look();
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    records.push(parseRecord(line));
    wake();
  });
  child.once('close', (code, signal) => {
    exit = { code, signal };
    wake();
  });

  function complaint(what: string): Error {
    const lines = records.slice(-SHOWN).map((record) => JSON.stringify(record));
    return new Error(`${what}; the end of the log:\n${lines.join('\n')}\n${stderr()}`);
  }

  return {
    pid: child.pid!,
    records,
    exited,
    stderr,
    signal: (signal) => void child.kill(signal),
    waitFor(predicate, { after, withinMs = PATIENCE_MS } = {}) {
      // Made here, so that its stack leads to the test.
      const error = complaint('');
      return new Promise((resolve, reject) => {
        let next = after ? records.indexOf(after) + 1 : 0;
        const timer = setTimeout(() => giveUp(`no such record within ${withinMs} ms`), withinMs);
        function settle(act: () => void): void {
          clearTimeout(timer);
          waiting.delete(look);
          act();
        }
        function giveUp(why: string): void {
          error.message = complaint(why).message;
          settle(() => reject(error));
        }
        function look(): void {
          for (; next < records.length; next++) {
            const record = records[next]!;
            if (predicate(record)) return settle(() => resolve(record));
          }
          if (exit) giveUp(`the agent ended (${exit.signal ?? exit.code}) without such a record`);
        }
        waiting.add(look);
        look();
      });
    },
  };
}

/** `vitald ...` to its end. */
export async function runCli(
  args: readonly string[],
  { input, ...options }: CliOptions & { readonly input?: string } = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const { child, exited, stderr } = launch(args, options);
  const stdout = collect(child.stdout);
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const { code } = await exited;
  return { code, stdout: stdout(), stderr: stderr() };
}

function launch(args: readonly string[], { env, cwd }: CliOptions) {
  if (!existsSync(BIN)) throw new Error(`${BIN} is missing: npm run build makes it`);
  // Set by the test runner where it has a terminal; what a test reads should not depend on that.
  const { FORCE_COLOR: _, ...ours } = process.env;
  const child: Child = spawn(process.execPath, [BIN, ...args], {
    env: { ...ours, XDG_STATE_HOME: newStateHome(), ...env },
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  running.set(child, exited);
  return { child, exited, stderr: collect(child.stderr) };
}

let launched = 0;

/** Each process keeps its state for itself, unless a test is about that. */
function newStateHome(): string {
  return join(tmpdir(), `vitald-test-state-${process.pid}-${launched++}`);
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

function parseRecord(line: string): LogRecord {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return { level: 'none', time: '', msg: 'not JSON', line };
  }
}

/** The first SIGTERM waits for hooks, the second ends their process groups and leaves. */
async function end(child: Child, exited: Promise<Exit>): Promise<void> {
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const second = setTimeout(() => child.kill('SIGTERM'), 1_000);
  const last = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(second);
  clearTimeout(last);
}
