import { readFile, readdir, stat } from 'node:fs/promises';

/** What the kernel keeps of a program's name, bytes. */
const LONGEST_COMM = 15;
/** A file's time and a process's may be read by different clocks; so much is no contradiction, ms. */
const SLACK_MS = 10_000;

/** Sends a signal. Throws with words for people where that cannot be. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') throw new Error(`there is no process ${pid}`, { cause: error });
    if (code === 'EPERM') throw new Error(`we may not send process ${pid} a signal`, { cause: error });
    throw new Error(message, { cause: error });
  }
}

/**
 * The process that a pid file names. A file that was left behind may name one that has nothing to do with it: a process
 * that is younger than the file is refused, and so are those that nobody means.
 */
export async function pidIn(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(missing ? `there is no ${path}` : `${path} cannot be read`, { cause: error });
  });
  const pid = Number(/^\s*(\d{1,7})\s*(?:\n|$)/.exec(text)?.[1]);
  if (!(pid > 1)) throw new Error(`${path} does not begin with a process id above 1`);
  if (pid === process.pid) throw new Error(`${path} names the agent itself`);
  const born = await stat(`/proc/${pid}`).catch(() => undefined);
  if (!born) throw new Error(`${path} says ${pid}, and there is no such process`);
  const { mtimeMs } = await stat(path);
  if ((await startOf(pid)) > mtimeMs + SLACK_MS) {
    throw new Error(
      `${path} says ${pid}, which has started after the file was written: it is another process`,
    );
  }
  return pid;
}

/** The processes of that name, ourselves left out. */
export async function pidsNamed(name: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const named = await Promise.all(
    pids.map(async (pid) => {
      const [comm, cmdline] = await Promise.all([read(pid, 'comm'), read(pid, 'cmdline')]);
      if (comm === undefined || cmdline === undefined) return [];
      const program = cmdline.split('\0', 1)[0] ?? '';
      const called = program === '' ? comm.trim() : program.slice(program.lastIndexOf('/') + 1);
      const isMeant = called === name || comm.trim() === name.slice(0, LONGEST_COMM);
      return isMeant && pid !== process.pid ? [pid] : [];
    }),
  );
  return named.flat();
}

function read(pid: number, file: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => undefined);
}

/** Wall clock ms at which a process has started (proc_pid_stat(5), field 22). */
async function startOf(pid: number): Promise<number> {
  const [line = '', uptime] = await Promise.all([read(pid, 'stat'), readFile('/proc/uptime', 'utf8')]);
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const startedS = Number(fields[19]) / 100;
  return Date.now() - (Number.parseFloat(uptime) - startedS) * 1_000;
}
