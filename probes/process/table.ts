import { readdir, readlink } from 'node:fs/promises';
import { type Process, readProcess } from './proc.ts';

/** How many are read at once: half of the thread pool, which name lookups share with the file system. */
const LANES = 2;

export type Table = readonly Process[];

let running: Promise<Table> | undefined;
let next: Promise<Table> | undefined;

/**
 * All processes but our own, as they are now or later: a reading that is under way may have passed the place where a new
 * one stands, so whoever comes waits for the next, together. A reading that hangs (a process that the kernel holds while
 * its memory is locked) holds up the others that read the table, and nothing else.
 */
export function readTable(): Promise<Table> {
  if (!running) return begin();
  next ??= running.then(begin, begin);
  return next;
}

function begin(): Promise<Table> {
  next = undefined;
  const reading = scan().finally(() => {
    if (running === reading) running = undefined;
  });
  running = reading;
  return reading;
}

async function scan(): Promise<Table> {
  const own = Number(await readlink('/proc/self'));
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== own);
  const table: Process[] = [];
  let at = 0;
  async function lane(): Promise<void> {
    while (at < pids.length) {
      const found = await readProcess(pids[at++]!);
      if (found) table.push(found);
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane));
  return table;
}
