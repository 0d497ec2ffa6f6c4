import { close, constants, open, read } from 'node:fs';
import { promisify } from 'node:util';

/** A process as /proc has it (proc(5)). */
export interface Process {
  readonly pid: number;
  /** The program's name, cut after 15 bytes. */
  readonly comm: string;
  readonly state: string;
  readonly threads: number;
  /** Since the system has started, s. */
  readonly startedS: number;
  /** The arguments; none of a kernel thread, or where we may not look. */
  readonly argv: readonly string[];
}

/** What only those that are looked for are read for. */
export interface Details {
  readonly uid: number;
  readonly rssBytes: number;
  /** The process that it is a thread of: itself, unless it is no process. */
  readonly tgid: number;
}

/** The kernel counts in these, whatever its own clock. */
const TICKS_PER_S = 100;
const LONGEST_READ = 4_096;

const [openFile, readFrom, closeFile] = [promisify(open), promisify(read), promisify(close)];

/** The beginning of a file. Three small steps in the thread pool, where readFile takes more and larger ones. */
export async function readStart(path: string): Promise<string> {
  // Without waiting: the other end of a FIFO may never come.
  const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(LONGEST_READ);
    const { bytesRead } = await readFrom(file, buffer, 0, LONGEST_READ, null);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await closeFile(file);
  }
}

/** Undefined where it has gone, or was never there. */
export async function readProcess(pid: number): Promise<Process | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The name may hold blanks and parentheses: it ends with the last of them.
  const [opens, closes] = [stat.indexOf('('), stat.lastIndexOf(')')];
  if (opens === -1 || closes === -1) return undefined;
  const fields = stat.slice(closes + 2).split(' ');
  const line = await readIfThere(`/proc/${pid}/cmdline`);
  return {
    pid,
    comm: stat.slice(opens + 1, closes),
    state: fields[0] ?? '?',
    threads: Number(fields[17]),
    startedS: Number(fields[19]) / TICKS_PER_S,
    argv: line === '' ? [] : line.replace(/\0+$/, '').split('\0'),
  };
}

export async function readDetails(pid: number): Promise<Details | undefined> {
  const status = await readIfThere(`/proc/${pid}/status`);
  const field = (name: string): number =>
    Number(new RegExp(String.raw`^${name}:\s+(\d+)`, 'm').exec(status)?.[1] ?? NaN);
  if (status === '') return undefined;
  return { uid: field('Uid'), rssBytes: (field('VmRSS') || 0) * 1_024, tgid: field('Tgid') };
}

/** A dead one stays listed until its parent has taken note. */
export function isAlive({ state }: Process): boolean {
  return state !== 'Z' && state !== 'X' && state !== 'x';
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readStart(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return '';
    throw error;
  }
}
