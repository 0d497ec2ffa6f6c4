import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the process holds. */
export interface Held {
  readonly descriptors: number;
  /** What keeps the event loop alive, by kind. */
  readonly handles: string;
  readonly rss: number;
  /** JavaScript's heap and the memory that buffers have beside it. */
  readonly heap: number;
}

const PATIENCE_MS = 5_000;

/** After a full collection, once descriptors and handles are where they should be, or will not come there. */
export async function held(like?: Held): Promise<Held> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    await sleep(20);
    // Twice: what the first one finalises, the second one frees.
    globalThis.gc!();
    globalThis.gc!();
    await sleep(5);
    const { rss, heapUsed, external } = process.memoryUsage();
    const now = { descriptors: descriptors(), handles: handles(), rss, heap: heapUsed + external };
    const isHome = !like || (now.descriptors <= like.descriptors && now.handles === like.handles);
    if (isHome || performance.now() > until) return now;
  }
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function handles(): string {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // Our own sleep is one.
    if (kind !== 'Timeout' && kind !== 'Immediate') kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds]
    .map(([kind, count]) => `${kind} ${count}`)
    .toSorted()
    .join(', ');
}
