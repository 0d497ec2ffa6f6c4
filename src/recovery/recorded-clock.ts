import type { Cancel, Clock } from '../core/clock.ts';

/** A clock that shows the time of a record; both of its times are the same. */
export interface RecordedClock extends Clock {
  /** Never back: what was to be done by then is done, each at its time. */
  moveTo(at: number): void;
  /** Nothing waits any more. */
  clear(): void;
}

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

export function createRecordedClock(start: number): RecordedClock {
  const entries = new Set<Entry>();
  let current = start;

  function earliest(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of entries) if (!first || entry.at < first.at) first = entry;
    return first;
  }

  return {
    now: () => current,
    wallTime: () => current,
    schedule(at, callback): Cancel {
      const entry = { at, callback };
      entries.add(entry);
      return () => entries.delete(entry);
    },
    moveTo(at) {
      for (let next = earliest(); next && next.at <= at; next = earliest()) {
        entries.delete(next);
        current = Math.max(current, next.at);
        next.callback();
      }
      current = Math.max(current, at);
    },
    clear: () => entries.clear(),
  };
}
