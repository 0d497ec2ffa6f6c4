import type { Clock } from '../../src/core/clock.ts';

/** A clock that a test moves by hand. */
export interface FakeClock extends Clock {
  /**
   * Moves on by `ms`: each callback runs at its own time, in order, and what it sets off (promises, I/O callbacks that are
   * ready) runs before the next one.
   */
  advance(ms: number): Promise<void>;
  /** Time passes while nothing can run: as when the process was stopped, or a callback took long. */
  stall(ms: number): void;
  /** The wall clock is set forward, or back. */
  step(ms: number): void;
  /** Callbacks that wait for their time. */
  readonly pending: number;
}

export function createFakeClock({ now = 1_000, wallTime = Date.UTC(2026, 0, 1) } = {}): FakeClock {
  const startedAt = now;
  let current = now;
  let stepped = 0;
  let entries: { at: number; callback: () => void }[] = [];

  function takeNext(until: number): (() => void) | undefined {
    let due: (typeof entries)[number] | undefined;
    for (const entry of entries) {
      // Of those of one moment the first comes first: they are in order.
      if (entry.at <= until && (!due || entry.at < due.at)) due = entry;
    }
    if (!due) return undefined;
    entries = entries.filter((entry) => entry !== due);
    current = Math.max(current, due.at);
    return due.callback;
  }

  return {
    now: () => current,
    wallTime: () => wallTime + stepped + current - startedAt,
    schedule(at, callback) {
      const entry = { at, callback };
      entries.push(entry);
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    async advance(ms) {
      const until = current + ms;
      await settle();
      for (let next = takeNext(until); next; next = takeNext(until)) {
        next();
        await settle();
      }
      current = until;
      await settle();
    },
    stall(ms) {
      current += ms;
    },
    step(ms) {
      stepped += ms;
    },
    get pending() {
      return entries.length;
    },
  };
}

/** Lets promises and ready I/O callbacks run; a turn of the loop, not a wait. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
