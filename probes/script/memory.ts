import { readFileSync } from 'node:fs';
import { memoryUsage } from 'node:process';
import { LIMIT_BYTES, PULSE_MS, RESTLESS_MS } from './limits.ts';
import type { Thread } from './thread.ts';

/** A loop that has not come round for so long, ms, says nothing of its memory any more. */
const STUCK_MS = 4 * PULSE_MS;

/**
 * Ends the threads that take too much. A thread whose loop turns says itself what it weighs. One whose loop is stuck is
 * held against what the whole process has gained since it was last heard of; the process has other reasons to grow,
 * hence twice the limit. Of several that are stuck, it is the one that has touched the most new memory.
 */
export interface MemoryWatch {
  /** From its start, and anew with every job. */
  watch(thread: Thread): void;
  /** It has answered, and should do nothing until its next job. */
  rest(thread: Thread): void;
  unwatch(thread: Thread): void;
}

interface Heard {
  turns: number;
  at: number;
  isIdle: boolean;
  processBytes: number;
  /** Pages that it had touched when it was last looked at, while it was stuck. */
  faults: number | undefined;
}

export function createMemoryWatch(): MemoryWatch {
  const watched = new Map<Thread, Heard>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = performance.now();
    const processBytes = memoryUsage.rss();
    const stuck: { thread: Thread; heard: Heard; touched: number }[] = [];
    for (const [thread, heard] of watched) {
      if (thread.isEnding()) continue;
      const { turns, usedBytes, systemId } = thread.pulse();
      if (turns !== heard.turns) {
        watched.set(thread, { ...heard, turns, at: now, processBytes, faults: undefined });
        if (usedBytes > LIMIT_BYTES) thread.end({ kind: 'memory' });
      } else if (heard.isIdle && now - heard.at > RESTLESS_MS) {
        thread.end({ kind: 'ended' });
      } else if (now - heard.at > STUCK_MS) {
        const faults = faultsOf(systemId);
        stuck.push({
          thread,
          heard,
          touched: faults === undefined ? Infinity : faults - (heard.faults ?? faults),
        });
        heard.faults = faults;
      }
    }
    const grown = stuck.filter(({ heard }) => processBytes - heard.processBytes > 2 * LIMIT_BYTES);
    const worst = Math.max(...grown.map(({ touched }) => touched));
    // They have all just been looked at for the first time: the next look tells them apart.
    if (grown.length > 1 && worst === 0) return;
    for (const { thread, touched } of grown) if (touched === worst) thread.end({ kind: 'memory' });
    // What it had gained is not held against the others.
    if (grown.length > 0) for (const { heard } of stuck) heard.processBytes = processBytes;
  }

  return {
    watch(thread) {
      watched.set(thread, {
        turns: thread.pulse().turns,
        at: performance.now(),
        isIdle: false,
        processBytes: memoryUsage.rss(),
        faults: undefined,
      });
      // Not on the attempt's clock: this outlives attempts, and must keep no process alive.
      timer ??= setInterval(look, PULSE_MS).unref();
    },
    rest(thread) {
      const heard = watched.get(thread);
      if (heard) heard.isIdle = true;
    },
    unwatch(thread) {
      watched.delete(thread);
      if (watched.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** How often a thread has touched a page of memory for the first time, where the system (Linux) tells. */
function faultsOf(systemId: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${systemId}/stat`, 'latin1');
    // The name, in brackets, may contain anything; minor faults are the tenth field of all.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7]);
  } catch {
    return undefined;
  }
}
