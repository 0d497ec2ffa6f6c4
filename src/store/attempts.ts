import type { Clock } from '../core/clock.ts';
import type { Observer } from '../core/observer.ts';
import { type AttemptsRow, grown, rowOf } from '../core/recorded.ts';
import type { Store } from '../core/store.ts';

/** Writes down what attempts came to, for `replay`. */
export interface AttemptRecorder {
  readonly observer: Observer;
  /** Writes what has grown since it was written last. */
  stop(): void;
}

/** A row that only grows is written so often, ms: what a crash takes of it is that all went on as before. */
const GROWTH_MS = 60_000;

interface Open {
  row: AttemptsRow;
  /** How many of it are written, and the start of the last of them. */
  written: Pick<AttemptsRow, 'count' | 'last'>;
}

export function createAttemptRecorder({
  store,
  clock,
}: {
  readonly store: Pick<Store, 'put'>;
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
}): AttemptRecorder {
  const session = clock.wallTime();
  const origin = { session, offset: session - clock.now() };
  const open = new Map<string, Open>();

  function write(one: Open): void {
    const { row, written } = one;
    if (row.count === written.count) return;
    store.put('attempt', `${row.target} ${row.first}`, row);
    one.written = row;
  }

  return {
    observer: {
      onAttempt({ name }, attempt, health, _held, given) {
        const next = rowOf(name, attempt, health, given, origin);
        if (!next) return;
        const before = open.get(name);
        const row = before && grown(before.row, next);
        if (before && row) {
          before.row = row;
          if (row.last - before.written.last >= GROWTH_MS) write(before);
          return;
        }
        if (before) write(before);
        const begun = { row: next, written: { count: 0, last: 0 } };
        open.set(name, begun);
        write(begun);
      },
    },
    stop() {
      for (const one of open.values()) write(one);
    },
  };
}
