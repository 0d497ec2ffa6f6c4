import { type Row, TABLES, type Table, shapeOf } from '../core/store.ts';

/** One row on its way to the disk; null forgets the key, and without a key it is added. */
export interface Put {
  readonly table: Table;
  readonly key: string | null;
  readonly row: Row | null;
  /** Wall clock ms. */
  readonly at: number;
}

/** What waits to be written: of each key the last, and of each history no more than `MOST_WAITING`. */
export interface Queue {
  put(put: Put): void;
  /** All that waits, which is under way from now on. */
  take(): readonly Put[];
  /** What was taken is on the disk. */
  written(): void;
  /** What was taken is not: it waits again, where nothing newer does. */
  returned(): void;
  /** Under way and waiting. */
  pending(): number;
  dropped(): number;
}

/** Rows of one history that wait while the disk does not take them; the oldest are dropped first. */
const MOST_WAITING = 10_000;

export function createQueue(): Queue {
  const waiting = new Map<Table, Map<string, Put>>();
  let taken: readonly Put[] = [];
  let unnamed = 0;
  let dropped = 0;

  function add(name: string, put: Put): void {
    const rows = waiting.get(put.table) ?? new Map<string, Put>();
    waiting.set(put.table, rows);
    rows.set(name, put);
    if (!shapeOf(put.table).history || rows.size <= MOST_WAITING) return;
    for (const oldest of rows.keys()) {
      rows.delete(oldest);
      dropped++;
      break;
    }
  }
  /** Unnamed rows get a name that no key can have: keys are never empty. */
  const nameOf = ({ key }: Put): string => key ?? `\n${unnamed++}`;

  return {
    put: (put) => add(nameOf(put), put),
    take() {
      taken = [...waiting.values()].flatMap((rows) => [...rows.values()]);
      waiting.clear();
      return taken;
    },
    written() {
      taken = [];
    },
    returned() {
      const newer = new Map(waiting);
      waiting.clear();
      for (const put of taken) add(nameOf(put), put);
      for (const rows of newer.values()) for (const [name, put] of rows) add(name, put);
      taken = [];
    },
    pending: () => [...waiting.values()].reduce((sum, { size }) => sum + size, taken.length),
    dropped: () => dropped,
  };
}

/** The rows that are held in memory, as they were last put: of a history the newest. */
export interface Held {
  rows(table: Table): ReadonlyMap<string, Row>;
  put(table: Table, key: string, row: Row | null): void;
  /** All of them, to be written anew. */
  all(at: number): Put[];
}

export function createHeld(): Held {
  const tables = new Map<Table, Map<string, Row>>(
    (Object.keys(TABLES) as Table[]).map((table) => [table, new Map()]),
  );
  return {
    rows: (table) => tables.get(table)!,
    put(table, key, row) {
      const rows = tables.get(table)!;
      const { held, history } = shapeOf(table);
      if (row) rows.set(key, row);
      else rows.delete(key);
      if (rows.size <= held) return;
      // What has not come to its end stays, however old.
      const isOver = (row: Row): boolean => !history?.ends || row[history.ends] !== null;
      for (const [oldest, row] of rows) {
        if (!isOver(row)) continue;
        rows.delete(oldest);
        break;
      }
    },
    all: (at) =>
      [...tables].flatMap(([table, rows]) => [...rows].map(([key, row]) => ({ table, key, row, at }))),
  };
}
