import type { Row, Rows, Store, Table } from '../core/store.ts';
import { createHeld } from './queue.ts';

/** Nothing outlives the process: `state: off`. */
export function createMemoryStore(since: number): Store {
  const held = createHeld();
  return {
    kept: <Name extends Table>(table: Name) => held.rows(table) as ReadonlyMap<string, Rows[Name]>,
    put(table, key, row) {
      if (key !== null) held.put(table, key, row as Row | null);
    },
    commit: () => Promise.resolve(true),
    list<Name extends Table>(table: Name, { limit, where = {} }: Parameters<Store['list']>[1]) {
      const matches = (row: Row): boolean =>
        Object.entries(where).every(([key, value]) => row[key] === value);
      const rows = [...held.rows(table).values()].filter(matches).toReversed();
      return Promise.resolve(rows.slice(0, limit) as Rows[Name][]);
    },
    status: () => ({ path: null, ok: true, trouble: null, since, pending: 0, dropped: 0 }),
    close: () => Promise.resolve(),
  };
}
