import { memoryUsage } from 'node:process';
import { LIMIT_BYTES, PULSE_MS } from './limits.ts';
import type { Thread } from './thread.ts';

/** A loop that has not come round for so long, ms, says nothing of its memory any more. */
const STUCK_MS = 4 * PULSE_MS;

/**
 * Ends the threads that take too much. A thread whose loop turns says itself what it weighs. One whose loop is stuck is
 * held against what the whole process has gained since it was last heard of; the process has other reasons to grow,
 * hence twice the limit.
 */
export interface MemoryWatch {
  watch(thread: Thread): void;
  unwatch(thread: Thread): void;
}

export function createMemoryWatch(): MemoryWatch {
  const watched = new Map<Thread, { turns: number; heardAt: number; processBytes: number }>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = performance.now();
    const processBytes = memoryUsage.rss();
    for (const [thread, last] of watched) {
      const { turns, usedBytes } = thread.pulse();
      if (turns !== last.turns) {
        watched.set(thread, { turns, heardAt: now, processBytes });
        if (usedBytes > LIMIT_BYTES) thread.end({ kind: 'memory' });
      } else if (now - last.heardAt > STUCK_MS && processBytes - last.processBytes > 2 * LIMIT_BYTES) {
        thread.end({ kind: 'memory' });
      }
    }
  }

  return {
    watch(thread) {
      watched.set(thread, {
        turns: thread.pulse().turns,
        heardAt: performance.now(),
        processBytes: memoryUsage.rss(),
      });
      // Not on the attempt's clock: this outlives attempts, and must keep no process alive.
      timer ??= setInterval(look, PULSE_MS).unref();
    },
    unwatch(thread) {
      watched.delete(thread);
      if (watched.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };
}
