import { OwnTrouble, ProbeFailure } from '../wire/reason.ts';
import { type Details, type Process, isAlive, readDetails, readProcess, readStart } from './proc.ts';
import type { ProcessSettings } from './settings.ts';
import { readTable } from './table.ts';

export type Found = Process & Details;

/** What the kernel keeps of a name. */
const LONGEST_COMM = 15;
/** How many are looked at in one turn of the loop. */
const MOST_AT_ONCE = 200;
const LARGEST_PID = 4_194_304;

/** The living processes that the settings mean, the oldest first. */
export async function find(settings: ProcessSettings): Promise<Found[]> {
  const uid = settings.user === undefined ? undefined : await uidOf(settings.user);
  const candidates =
    settings.pid_file === undefined
      ? await inTable(settings)
      : [await byPidFile(settings.pid_file, settings)];
  const found: Found[] = [];
  for (const candidate of candidates) {
    const details = await readDetails(candidate.pid);
    if (details && (uid === undefined || details.uid === uid)) found.push({ ...candidate, ...details });
  }
  return found.toSorted((one, other) => one.startedS - other.startedS || one.pid - other.pid);
}

async function inTable({ name, pattern }: ProcessSettings): Promise<Process[]> {
  const table = await readTable();
  const meant: Process[] = [];
  for (const [index, process] of table.entries()) {
    // A table of ten thousand takes a pattern a while.
    if (index % MOST_AT_ONCE === MOST_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    const isMeant = pattern ? pattern.matches(process.argv.join(' ')) : isCalled(process, name!);
    if (isMeant && isAlive(process)) meant.push(process);
  }
  return meant;
}

async function byPidFile(path: string, { name }: ProcessSettings): Promise<Process> {
  const pid = await readPid(path);
  const process = await readProcess(pid);
  const details = process && (await readDetails(pid));
  // A thread has its number below /proc, too, and is no process.
  if (!process || details?.tgid !== pid) {
    throw new ProbeFailure('exit', `${path} says ${pid}, and there is no such process`);
  }
  if (!isAlive(process)) throw new ProbeFailure('exit', `${path} says ${pid}, which is dead (a zombie)`);
  if (name !== undefined && !isCalled(process, name)) {
    throw new ProbeFailure('mismatch', `${path} says ${pid}, which is ${process.comm} and not ${name}`);
  }
  return process;
}

async function readPid(path: string): Promise<number> {
  let text: string;
  try {
    text = await readStart(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A daemon that ends in order takes its file away.
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new ProbeFailure('exit', `there is no ${path}`);
    if (code === 'EISDIR') throw new ProbeFailure('mismatch', `${path} is a directory`);
    throw new OwnTrouble(message);
  }
  const pid = Number(/^\s*(\d{1,7})\s*(?:\n|$)/.exec(text)?.[1]);
  if (pid >= 1 && pid <= LARGEST_PID) return pid;
  throw new ProbeFailure(
    'mismatch',
    text.trim() === '' ? `${path} is empty` : `${path} does not begin with a process id`,
  );
}

function isCalled({ comm, argv }: Process, name: string): boolean {
  if (comm === name) return true;
  const [program] = argv;
  if (program !== undefined) return program.slice(program.lastIndexOf('/') + 1) === name;
  return name.length > LONGEST_COMM && comm === name.slice(0, LONGEST_COMM);
}

async function uidOf(user: string): Promise<number> {
  if (/^\d+$/.test(user)) return Number(user);
  for (const line of (await readStart('/etc/passwd')).split('\n')) {
    const [name, , uid] = line.split(':');
    if (name === user && uid !== undefined) return Number(uid);
  }
  throw new OwnTrouble(`/etc/passwd knows no ${user}; write the number`);
}
