import { TABLES, type Table, shapeOf } from '../core/store.ts';

/** In the file's head, so that no other program's database is taken for ours: `vtld`. */
export const APPLICATION_ID = 0x76746c64;
/** Goes up where an older vitald could not live with what a newer one has written. */
export const VERSION = 1;

export const NAMES = Object.keys(TABLES) as readonly Table[];

/** What stands in the document, as columns: for queries, and for people with a shell. They take no room. */
function columnsOf(table: Table): { name: string; sql: string }[] {
  const { columns, times } = shapeOf(table);
  return [
    ...columns.map((name) => ({ name, sql: `json_extract("row", '$.${name}')` })),
    ...times.map((name) => ({
      name,
      sql: `strftime('%Y-%m-%dT%H:%M:%fZ', json_extract("row", '$.${name}') / 1000.0, 'unixepoch')`,
    })),
  ];
}

/** Makes a table that is missing. `saved` is wall clock ms. */
export function createTable(table: Table): string {
  const columns = columnsOf(table).map(({ name, sql }) => `"${name}" TEXT AS (${sql})`);
  return `CREATE TABLE IF NOT EXISTS "${table}" (${[
    'id INTEGER PRIMARY KEY',
    'key TEXT UNIQUE',
    ...columns,
    'saved INTEGER NOT NULL',
    'row TEXT NOT NULL',
  ].join(', ')})`;
}

/** Columns that a table has not had in an earlier version. */
export function missingColumns(table: Table, present: readonly string[]): string[] {
  return columnsOf(table)
    .filter(({ name }) => !present.includes(name))
    .map(({ name, sql }) => `ALTER TABLE "${table}" ADD COLUMN "${name}" TEXT AS (${sql})`);
}

export function createIndex(table: Table): string | undefined {
  const { index } = shapeOf(table);
  return index && `CREATE INDEX IF NOT EXISTS "${table} by ${index}" ON "${table}" ("${index}")`;
}

/** What is no JSON becomes a text in JSON: a column that cannot be read would fail whatever asks for it. */
export function quoteDamaged(table: Table): string {
  return `UPDATE "${table}" SET row = json_quote(CAST(row AS TEXT)) WHERE typeof(row) <> 'text' OR NOT json_valid(row)`;
}

export function upsert(table: Table): string {
  return `INSERT INTO "${table}" (key, saved, row) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET saved = excluded.saved, row = excluded.row`;
}

export function remove(table: Table): string {
  return `DELETE FROM "${table}" WHERE key = ?`;
}

/** The newest that are held in memory, oldest first; of incidents all that are open. */
export function selectKept(table: Table): string {
  const { held, history } = shapeOf(table);
  const limit = held === Infinity ? '' : `LIMIT ${held}`;
  const openFirst = history?.ends ? `"${history.ends}" IS NULL DESC,` : '';
  const newest = `SELECT id, key, row FROM "${table}" WHERE key IS NOT NULL ORDER BY ${openFirst} id DESC ${limit}`;
  return `SELECT key, row FROM (${newest}) ORDER BY id`;
}

export function selectRows(table: Table, where: Readonly<Record<string, string | null>>): string {
  const known = new Set(columnsOf(table).map(({ name }) => name));
  const conditions = Object.keys(where)
    .filter((name) => known.has(name))
    .map((name) => `"${name}" IS ?`);
  return `SELECT row FROM "${table}" ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY id DESC LIMIT ?`;
}

const DAY_MS = 86_400_000;
const KEEP_DAYS = 90;
/** Rows that go at once: a long transaction would hold up what is to be committed. */
const MOST_AT_ONCE = 2_000;

/** Takes out what is too old, and what is too much. What has not come to its end stays. */
export function prunes(table: Table, now: number): string[] {
  const { history } = shapeOf(table);
  if (!history) return [];
  const over = history.ends ? `"${history.ends}" IS NOT NULL AND` : '';
  const oldest = now - (history.days ?? KEEP_DAYS) * DAY_MS;
  const beyond = `SELECT id FROM "${table}" ORDER BY id DESC LIMIT 1 OFFSET ${history.most}`;
  return [`saved < ${oldest}`, `id <= (${beyond})`].map(
    (rule) =>
      `DELETE FROM "${table}" WHERE id IN (SELECT id FROM "${table}" WHERE ${over} ${rule} ORDER BY id LIMIT ${MOST_AT_ONCE})`,
  );
}
