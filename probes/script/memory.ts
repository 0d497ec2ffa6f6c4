import { readFileSync } from 'node:fs';
import { memoryUsage } from 'node:process';
import { LIMIT_BYTES, PULSE_MS, RESTLESS_MS } from './limits.ts';
import type { Thread } from './thread.ts';

/** A loop that has not come round for so long, ms, says nothing of its memory any more. */
const STUCK_MS = 4 * PULSE_MS;
/** From so long on, ms, it is counted what memory it touches: it may soon be stuck. */
const LATE_MS = 2 * PULSE_MS;
/** For so long, ms, what a thread on its way out still takes may be the reason why the process grows. */
const LEAVING_MS = 1_000;
/** What a thread takes before it has loaded a script, and on Node 20 the second one that its imports need. */
const BARE_BYTES = 20 * 1024 * 1024;

/**
 * Ends the threads that take too much. A thread whose loop turns says itself what it weighs. One whose loop is stuck is
 * held against what the process has gained since it was last heard of, and nobody accounts for: not the agent's own heap,
 * not the threads whose loops turn, not those that have started meanwhile. There are other reasons to grow, hence twice
 * the limit. Of several that are stuck, it is the one that has touched the most new memory.
 */
export interface MemoryWatch {
  /** From its start, and anew with every job. */
  watch(thread: Watched): void;
  /** It has answered, and should do nothing until its next job. */
  rest(thread: Watched): void;
  unwatch(thread: Watched): void;
  /** Looks at all of them; a timer does, as long as there are any. */
  look(): void;
}

export type Watched = Pick<Thread, 'pulse' | 'end' | 'isEnding' | 'overdueMs'>;

/** What the system says. */
export interface Gauges {
  now(): number;
  /** Of the whole process but for the agent's own heap and buffers, bytes. */
  processBytes(): number;
  /** How often a thread has touched a page of memory for the first time; undefined where the system does not tell. */
  faultsOf(systemId: number): number | undefined;
}

/** When a thread was last heard of, and what was accounted for then. */
interface Heard {
  readonly turns: number;
  readonly at: number;
  isIdle: boolean;
  level: Level;
  /** Pages that it had touched when it was last looked at, while it was stuck. */
  faults: number | undefined;
}

interface Level {
  readonly processBytes: number;
  /** What all threads say that they weigh. */
  readonly saidBytes: number;
  readonly started: number;
}

export function createMemoryWatch({ now, processBytes, faultsOf }: Gauges = GAUGES): MemoryWatch {
  const watched = new Map<Watched, Heard>();
  let started = 0;
  let timer: NodeJS.Timeout | undefined;

  function level(): Level {
    const said = [...watched.keys()].map((thread) => thread.pulse().usedBytes);
    return { processBytes: processBytes(), saidBytes: said.reduce((sum, bytes) => sum + bytes, 0), started };
  }

  function look(): void {
    const at = now();
    const present = level();
    const late: { thread: Watched; heard: Heard; touched: number }[] = [];
    for (const [thread, heard] of watched) {
      if (thread.isEnding()) continue;
      const { turns, usedBytes, systemId } = thread.pulse();
      if (turns !== heard.turns) {
        watched.set(thread, { ...heard, turns, at, level: present, faults: undefined });
        if (usedBytes > LIMIT_BYTES) thread.end({ kind: 'memory' });
      } else if (heard.isIdle && at - heard.at > RESTLESS_MS) {
        thread.end({ kind: 'ended' });
        // As long as it has not turned once, it has nothing of a script.
      } else if (turns > 0 && at - heard.at > LATE_MS) {
        const faults = faultsOf(systemId);
        const touched = faults === undefined ? Infinity : faults - (heard.faults ?? faults);
        late.push({ thread, heard, touched });
        heard.faults = faults;
      }
    }
    if ([...watched.keys()].some((thread) => thread.isEnding() && thread.overdueMs() < LEAVING_MS)) return;
    const stuck = late.filter(({ heard }) => at - heard.at > STUCK_MS);
    const grown = stuck.filter(({ heard }) => unexplained(heard.level, present) > 2 * LIMIT_BYTES);
    // It may be one that is not stuck yet: then the next look tells.
    const worst = Math.max(...late.map(({ touched }) => touched));
    const guilty = worst === 0 && late.length > 1 ? [] : grown.filter(({ touched }) => touched === worst);
    for (const { thread } of guilty) thread.end({ kind: 'memory' });
    // What it had gained is not held against the others.
    if (guilty.length > 0) for (const { heard } of late) heard.level = present;
  }

  return {
    look,
    watch(thread) {
      const { turns } = thread.pulse();
      if (!watched.has(thread)) started++;
      watched.set(thread, { turns, at: now(), isIdle: false, level: level(), faults: undefined });
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

/** What the process has gained from one level to another, and neither threads that speak nor new ones account for. */
function unexplained(from: Level, to: Level): number {
  const said = Math.max(0, to.saidBytes - from.saidBytes);
  return to.processBytes - from.processBytes - said - (to.started - from.started) * BARE_BYTES;
}

const GAUGES: Gauges = {
  now: () => performance.now(),
  processBytes() {
    const { rss, heapTotal, external } = memoryUsage();
    return rss - heapTotal - external;
  },
  faultsOf,
};

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
