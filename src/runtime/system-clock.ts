import { performance } from 'node:perf_hooks';
import type { Cancel, Clock } from '../core/clock.ts';
import { MAX_DURATION_MS } from '../core/units.ts';

/**
 * So many callbacks run before I/O gets its turn: answers that have arrived must be read before more questions are
 * asked, or a busy agent starts everything, reads nothing, and times out for good.
 */
const MOST_IN_A_TURN = 128;

interface Entry {
  readonly at: number;
  /** Entries of one time run in the order in which they were scheduled. */
  readonly order: number;
  callback: (() => void) | undefined;
}

/** The real clock: a heap of what is scheduled, and one timer, set for the earliest entry. */
export function createSystemClock(): Clock {
  const heap = createHeap();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;
  let order = 0;

  function arm(): void {
    const next = heap.peek();
    if (!next || next.at >= timerAt) return;
    clearTimeout(timer);
    timerAt = next.at;
    timer = setTimeout(fire, Math.min(MAX_DURATION_MS, Math.max(0, next.at - performance.now())));
  }

  function fire(): void {
    timerAt = Infinity;
    const now = performance.now();
    for (let ran = 0; ran < MOST_IN_A_TURN;) {
      const next = heap.peek();
      // Node's timers count whole milliseconds and may fire a fraction early.
      if (!next || next.at > now + 1) break;
      heap.pop();
      if (!next.callback) continue;
      ran++;
      const { callback } = next;
      next.callback = undefined;
      callback();
    }
    const next = heap.peek();
    if (next && next.at <= now) {
      timerAt = -Infinity;
      setImmediate(fire);
    } else arm();
  }

  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    schedule(at, callback): Cancel {
      const entry: Entry = { at, order: order++, callback };
      heap.push(entry);
      arm();
      return () => {
        if (!entry.callback) return;
        entry.callback = undefined;
        heap.forget();
        if (heap.peek()) return;
        // Nothing is left to wait for: the timer must not keep the process alive.
        clearTimeout(timer);
        timerAt = Infinity;
      };
    },
  };
}

interface Heap {
  push(entry: Entry): void;
  pop(): void;
  peek(): Entry | undefined;
  /** One entry more is cancelled: they are swept out when they have become the most. */
  forget(): void;
}

/** A binary heap by time. Cancelled entries stay until they come up, or until they are more than half. */
function createHeap(): Heap {
  let entries: Entry[] = [];
  let cancelled = 0;

  function up(from: number): void {
    const entry = entries[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  function down(from: number): void {
    const entry = entries[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!isBefore(entries[child]!, entry)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = entry;
  }

  return {
    push(entry) {
      entries.push(entry);
      up(entries.length - 1);
    },
    pop() {
      const [first] = entries;
      if (first && !first.callback) cancelled--;
      const last = entries.pop();
      if (last && entries.length > 0) {
        entries[0] = last;
        down(0);
      }
    },
    peek: () => entries[0],
    forget() {
      cancelled++;
      if (cancelled < entries.length && (cancelled <= 64 || cancelled * 2 <= entries.length)) return;
      entries = entries.filter((entry) => entry.callback);
      cancelled = 0;
      for (let at = (entries.length >> 1) - 1; at >= 0; at--) down(at);
    },
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
