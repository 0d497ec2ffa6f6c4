import { type ChildProcess, spawn } from 'node:child_process';
import type { Cancel, Clock } from '../core/clock.ts';
import { plain } from '../core/plain.ts';

/** What TERM gets before KILL, ms. */
const KILL_AFTER_MS = 1_000;
/** How long output may still arrive once the process has exited, ms: a child it left behind may hold the pipe for ever. */
const DRAIN_MS = 100;
/** A timer that comes later than this, ms, found our own loop late: what was written waits to be read. */
const STALL_MS = 20;
/** The drain is set anew so often for that. */
const MOST_STALLS = 10;
/** How often, ms, it is looked whether the rest of a group that got TERM has gone. */
const LOOK_EVERY_MS = 25;
const OUTPUT_LIMIT = 64 * 1024;
const LONGEST_SECRET = 32 * 1024;

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to stdin, which is then closed; without it stdin is empty. */
  readonly input?: string;
  /** As whom it runs, where that is not us. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** How much it steps back for others, 0 to 19. */
  readonly nice?: number;
  /** The last 64 KiB of its output are kept, not the first. */
  readonly keepEnd?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** 64 KiB of it; the rest was read and dropped. */
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment that a command gets unless more is asked for. */
export function minimalEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'LANG']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Process groups that run now, so that a hurried exit can take them along. */
const running = new Set<ChildProcess>();

/** Kills every command that still runs, with its group, at once. */
export function killAll(): void {
  for (const child of running) killGroup(child, 'SIGKILL');
}

/**
 * Runs a command in a process group of its own. On abort the group gets TERM, and a second later KILL if anything of it
 * is left. Resolves when the process has exited (after an abort: when its group has gone, too), whatever its children do
 * with its pipes; rejects where it could not be started.
 */
export function run(
  command: Command,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = niced(command);
    const child = spawn(file, args, {
      cwd: command.cwd,
      env: command.env,
      ...command.user,
      stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const collect = command.keepEnd ? collectEnd : collectBeginning;
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let cancelTimer: Cancel = () => {};
    let cancelLook: Cancel = () => {};
    let exit: Pick<Exit, 'code' | 'signal'> | undefined;
    let killed = false;

    function terminate(): void {
      killGroup(child, 'SIGTERM');
      cancelTimer = clock.schedule(clock.now() + KILL_AFTER_MS, () => {
        killGroup(child, 'SIGKILL');
        killed = true;
        if (exit) finish();
      });
    }
    function awaitGroup(): void {
      if (groupLives(child)) cancelLook = clock.schedule(clock.now() + LOOK_EVERY_MS, awaitGroup);
      else finish();
    }
    function drain(stalls: number): void {
      const due = clock.now() + DRAIN_MS;
      cancelTimer = clock.schedule(due, () => {
        if (clock.now() - due > STALL_MS && stalls < MOST_STALLS) drain(stalls + 1);
        else finish();
      });
    }
    function finish(): void {
      cancelTimer();
      cancelLook();
      running.delete(child);
      signal.removeEventListener('abort', terminate);
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (exit) resolve({ ...exit, stdout: stdout(), stderr: stderr() });
    }

    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      finish();
      reject(error);
    });
    child.once('exit', (code, killedBy) => {
      exit = { code, signal: killedBy };
      if (signal.aborted) {
        // A killed group may go on being listed until somebody has reaped its zombies.
        if (killed) finish();
        else awaitGroup();
        return;
      }
      signal.removeEventListener('abort', terminate);
      drain(0);
      child.once('close', finish);
    });

    if (child.pid === undefined) return;
    running.add(child);
    // A command that never reads its stdin breaks the pipe: that is its right.
    child.stdin?.on('error', () => {});
    child.stdin?.end(command.input);
    if (signal.aborted) terminate();
    else signal.addEventListener('abort', terminate, { once: true });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the whole group has gone already.
  }
}

function groupLives(child: ChildProcess): boolean {
  try {
    process.kill(-child.pid!, 0);
    return true;
  } catch {
    return false;
  }
}

/** By the program of that name: to set it once the command runs would be too late for its children. */
function niced({ argv, nice }: Command): Command['argv'] {
  return nice === undefined ? argv : ['nice', '-n', String(nice), ...argv];
}

/** Reads a stream to its end and keeps its beginning. */
function collectBeginning(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (kept >= OUTPUT_LIMIT) return;
    const part = chunk.subarray(0, OUTPUT_LIMIT - kept);
    chunks.push(part);
    kept += part.length;
  });
  stream?.on('error', () => {});
  return () => Buffer.concat(chunks).toString('utf8');
}

/** The same, with its end: what was cut is cut at the end of a line. */
function collectEnd(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  let isCut = false;
  stream?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    kept += chunk.length;
    isCut ||= kept > OUTPUT_LIMIT;
    while (kept - chunks[0]!.length >= OUTPUT_LIMIT) kept -= chunks.shift()!.length;
  });
  stream?.on('error', () => {});
  return () => {
    const text = Buffer.concat(chunks).subarray(-OUTPUT_LIMIT).toString('utf8');
    const line = text.indexOf('\n');
    if (!isCut) return text;
    // A line that is longer begins somewhere: not with half of a secret.
    return text.slice(line === -1 || line > LONGEST_SECRET ? LONGEST_SECRET : line + 1);
  };
}

/** The first line of a command's output that says something, or of its errors where the output says nothing. */
export function firstLine({ stdout, stderr }: Pick<Exit, 'stdout' | 'stderr'>, limit = 500): string {
  for (const output of [stdout, stderr]) {
    const line = output.split('\n').find((candidate) => candidate.trim() !== '');
    if (line !== undefined) return line.trim().slice(0, limit);
  }
  return '';
}

/** The last line that says something, whole and as it came, of the first of these outputs that has one. */
export function lastLine(...outputs: readonly string[]): string {
  for (const output of outputs) {
    const line = output.split('\n').findLast((candidate) => plain(candidate) !== '');
    if (line !== undefined) return line;
  }
  return '';
}
