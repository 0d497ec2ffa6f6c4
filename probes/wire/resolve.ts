import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { ProbeContext } from '../../src/core/probe.ts';

/**
 * Name lookup by the system's resolver (hosts file, search domains, nsswitch), which works on libuv's pool of four
 * threads, shared with the file system. So at most three lookups run at once, and one for each name: a name whose
 * servers are dead holds one thread and no more, and whoever waits for a turn is in the phase `queue`.
 */
const MOST_AT_ONCE = 3;

/** 0: whichever the resolver puts first. */
export type Family = 0 | 4 | 6;

interface Waiter {
  started(): void;
  settled(error: Error | null, address: string): void;
}

interface Lookup {
  readonly host: string;
  readonly family: Family;
  readonly waiters: Set<Waiter>;
  running: boolean;
}

const lookups = new Map<string, Lookup>();
const queue = new Set<Lookup>();
let active = 0;

/** The first address in the resolver's order. Rejects with Node's error, or on abort. */
export async function resolve(
  host: string,
  family: Family,
  { signal, enter }: Pick<ProbeContext, 'signal' | 'enter'>,
): Promise<string> {
  if (isIP(host) !== 0) return host;
  const wanted = join(host, family);
  return await new Promise((done, failed) => {
    const waiter: Waiter = {
      started: () => enter('dns'),
      settled(error, address) {
        signal.removeEventListener('abort', leave);
        if (error) failed(error);
        else done(address);
      },
    };
    function leave(): void {
      wanted.waiters.delete(waiter);
      if (wanted.waiters.size === 0 && !wanted.running) forget(wanted);
      failed(signal.reason as Error);
    }
    signal.addEventListener('abort', leave, { once: true });
    wanted.waiters.add(waiter);
    if (wanted.running) enter('dns');
    else startNext();
    if (!wanted.running) enter('queue');
  });
}

function join(host: string, family: Family): Lookup {
  const key = keyOf(host, family);
  let wanted = lookups.get(key);
  if (!wanted) {
    wanted = { host, family, waiters: new Set(), running: false };
    lookups.set(key, wanted);
    queue.add(wanted);
  }
  return wanted;
}

function forget(wanted: Lookup): void {
  lookups.delete(keyOf(wanted.host, wanted.family));
  queue.delete(wanted);
}

function startNext(): void {
  for (const next of queue) {
    if (active >= MOST_AT_ONCE) return;
    queue.delete(next);
    active++;
    next.running = true;
    for (const waiter of next.waiters) waiter.started();
    lookup(next.host, { family: next.family, order: 'verbatim' }, (error, address) => {
      active--;
      forget(next);
      for (const waiter of next.waiters) waiter.settled(error, address);
      startNext();
    });
  }
}

function keyOf(host: string, family: Family): string {
  return `${family} ${host}`;
}
