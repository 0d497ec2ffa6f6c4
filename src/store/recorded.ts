import Libsql from 'libsql';
import type { ActionRow } from '../core/action.ts';
import { type AttemptsRow, type Recorded, attemptsOf, endOf } from '../core/recorded.ts';
import type { Begun } from '../core/replay.ts';
import { readRow } from './rows.ts';

/** What a state file has on record. */
export interface Kept {
  /** Of all targets, in the order in which they ended; without those that could change nothing. */
  readonly attempts: Iterable<Recorded>;
  readonly actions: readonly Begun[];
}

/**
 * Reads the file, also while an agent keeps its state there. `most`: the highest threshold that counts good attempts.
 * Throws what SQLite throws.
 */
export function keptIn(path: string, most: number): Kept {
  const db = new Libsql(path, { readonly: true });
  try {
    const streams = new Map<string, AttemptsRow[]>();
    for (const row of rowsOf<AttemptsRow>(db, 'attempt')) {
      const rows = streams.get(row.target);
      if (rows) rows.push(row);
      else streams.set(row.target, [row]);
    }
    const actions = rowsOf<ActionRow>(db, 'action').filter(({ counted }) => counted);
    return { attempts: merged([...streams.values()].map((rows) => allOf(rows, most))), actions };
  } finally {
    db.close();
  }
}

/** In the order in which they were begun. None where an earlier version has kept none. */
function rowsOf<T>(db: Libsql.Database, table: 'attempt' | 'action'): T[] {
  const there = db.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(table);
  if (!there) return [];
  return db
    .prepare(`SELECT row FROM "${table}" ORDER BY id`)
    .all()
    .flatMap((found) => {
      const reading = readRow(table, null, (found as { row: string }).row);
      return reading.usable ? [reading.row as unknown as T] : [];
    });
}

function* allOf(rows: readonly AttemptsRow[], most: number): Generator<Recorded> {
  for (const row of rows) yield* attemptsOf(row, most);
}

interface Head {
  readonly attempt: Recorded;
  readonly rest: Iterator<Recorded>;
}

/** By the end of the attempts; each stream stays in its order. A heap, for there may be thousands of targets. */
function* merged(streams: readonly Iterator<Recorded>[]): Generator<Recorded> {
  const heap: Head[] = [];
  const isBefore = (a: Head, b: Head): boolean => endOf(a.attempt) < endOf(b.attempt);

  function sink(head: Head): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const next = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
      if (!isBefore(heap[next]!, head)) break;
      heap[at] = heap[next]!;
      at = next;
    }
    heap[at] = head;
  }
  function nextOf(rest: Iterator<Recorded>): Head | undefined {
    const { value, done } = rest.next();
    return done ? undefined : { attempt: value, rest };
  }

  for (const head of streams.flatMap((stream) => nextOf(stream) ?? [])) heap.push(head);
  // Sorted is a heap.
  heap.sort((a, b) => endOf(a.attempt) - endOf(b.attempt));
  while (heap.length > 0) {
    const { attempt, rest } = heap[0]!;
    yield attempt;
    const next = nextOf(rest);
    const last = heap.length - 1;
    if (next) sink(next);
    else {
      const moved = heap.pop()!;
      if (last > 0) sink(moved);
    }
  }
}
