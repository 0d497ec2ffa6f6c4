import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Store } from '../core/store.ts';
import { createMemoryStore } from '../store/memory.ts';
import { openStore } from '../store/store.ts';

/** What the agent keeps its state in. Never rejects: a store in trouble is told to the log, and visible in its status. */
export async function openState(path: string | null, clock: Clock, log: Logger): Promise<Store> {
  if (path === null) return createMemoryStore(clock.wallTime());
  return await openStore({
    path,
    clock,
    onTrouble: (detail) => log.error({ detail }, 'store trouble, probing goes on'),
    onBack: (path) => log.info({ path }, 'store is back'),
  });
}
