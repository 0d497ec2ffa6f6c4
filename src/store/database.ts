import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Libsql from 'libsql';
import type { Table } from '../core/store.ts';
import { StoreError, faultOf } from './fault.ts';
import { makePrivate, takeLock } from './lock.ts';
import type { Answer, Fault, Kept, Request } from './protocol.ts';
import {
  APPLICATION_ID,
  NAMES,
  VERSION,
  createIndex,
  createTable,
  missingColumns,
  prunes,
  quoteDamaged,
  remove,
  selectKept,
  selectRows,
  upsert,
} from './schema.ts';

type Connection = Libsql.Database;
type Statement = Libsql.Statement;

/** SQLite on the calling thread: every call may take as long as the disk does. All of it throws, see `faultOf`. */
export interface Database {
  readonly kept: Kept;
  /** Where a file went that was no whole database. */
  readonly movedTo: string | null;
  /** Why it can only be read; null where it can be written. */
  readonly unwritable: Fault | null;
  write(request: Omit<Extract<Request, { kind: 'write' }>, 'kind'>): void;
  list(request: Extract<Request, { kind: 'list' }>): string[];
  close(): void;
}

/** How long others may hold a lock, ms. */
const PATIENCE_MS = 2_000;
const PRUNE_EVERY_MS = 3_600_000;

export function openDatabase(path: string): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = takeLock(path);
  let movedTo: string | null = null;
  let opened: Opened;
  try {
    opened = openWhole(path);
  } catch (error) {
    if (faultOf(error).kind !== 'corrupt') throw error;
    movedTo = moveAside(path);
    opened = openWhole(path);
  }
  const { db, unwritable } = opened;
  const inode = statSync(path).ino;
  const statements = new Map<string, Statement>();
  /** Something was handed to the system that is not known to be on the disk. */
  let unsynced = false;
  let syncing: boolean | undefined;
  let prunedAt = 0;

  function prepared(sql: string): Statement {
    const statement = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }
  /** A failure undoes all of the transaction. */
  function undoing(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
  function begin(sync: boolean): void {
    if (!existsSync(path) || statSync(path).ino !== inode) throw new StoreError('gone', '');
    if (sync !== syncing) db.pragma(`synchronous = ${sync ? 'FULL' : 'NORMAL'}`);
    syncing = sync;
    db.exec('BEGIN IMMEDIATE');
  }
  function prune(): void {
    const now = Date.now();
    if (now - prunedAt < PRUNE_EVERY_MS) return;
    let gone = 0;
    try {
      undoing(() => {
        db.exec('BEGIN IMMEDIATE');
        for (const sql of NAMES.flatMap((table) => prunes(table, now))) gone += db.prepare(sql).run().changes;
        db.exec('COMMIT');
      });
    } catch {
      // What was to be written is written. If the disk is in trouble, the next write says so.
      gone = 0;
    }
    // There may be more.
    if (gone === 0) prunedAt = now;
  }

  return {
    kept: Object.fromEntries(NAMES.map((table) => [table, keptIn(db, table)])),
    movedTo,
    unwritable,
    write({ rows, sync, more }) {
      if (rows.length === 0 && !db.inTransaction && !(sync && unsynced)) return;
      undoing(() => {
        if (!db.inTransaction) begin(sync);
        for (const [table, key, json, at] of rows) {
          if (json === null) prepared(remove(table)).run(key);
          else prepared(upsert(table)).run(key, at, json);
        }
        // Only a transaction that has written something is waited for.
        if (rows.length === 0) db.pragma(`user_version = ${VERSION}`);
        if (!more) db.exec('COMMIT');
      });
      if (more) return;
      unsynced = !sync;
      if (!sync) prune();
    },
    list: ({ table, where, limit }) =>
      prepared(selectRows(table, where))
        .all(...Object.values(where), limit)
        .map((row) => (row as { row: string }).row),
    close() {
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      lock.close();
    },
  };
}

interface Opened {
  readonly db: Connection;
  readonly unwritable: Fault | null;
}

function openWhole(path: string): Opened {
  makePrivate(path);
  const db = new Libsql(path, { timeout: PATIENCE_MS });
  try {
    const id = valueOf(db, 'application_id');
    const tables = db.prepare('SELECT count(*) AS value FROM sqlite_master').get() as { value: number };
    if (id !== APPLICATION_ID && tables.value > 0) throw new StoreError('foreign', '');
    const version = Number(valueOf(db, 'user_version'));
    if (version > VERSION) throw new StoreError('newer', `its version is ${version}, ours ${VERSION}`);
    db.pragma('journal_mode = WAL');
    const found = checked(db);
    if (found !== 'ok') throw new StoreError('corrupt', String(found));
    return { db, unwritable: makeReady(db, id === APPLICATION_ID) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** `ok`, or what is wrong with the file. */
function checked(db: Connection): unknown {
  try {
    return valueOf(db, 'quick_check(1)');
  } catch (error) {
    // The check looks at the columns that are taken out of documents, too.
    if (!(error as Error).message.includes('malformed JSON')) throw error;
    const there = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as {
      name: Table;
    }[];
    for (const { name } of there) if (NAMES.includes(name)) db.exec(quoteDamaged(name));
    return valueOf(db, 'quick_check(1)');
  }
}

/** Why that cannot be, where it is ours and can be read all the same. */
function makeReady(db: Connection, isOurs: boolean): Fault | null {
  try {
    db.exec('BEGIN IMMEDIATE');
    if (!isOurs) db.pragma(`application_id = ${APPLICATION_ID}`);
    // Also where it is so already: of a file that can only be read SQLite says so at the first write.
    db.pragma(`user_version = ${VERSION}`);
    for (const table of NAMES) makeTable(db, table);
    db.exec('COMMIT');
    return null;
  } catch (error) {
    const fault = faultOf(error);
    if (fault.kind !== 'unwritable' || !isOurs) throw error;
    if (db.inTransaction) db.exec('ROLLBACK');
    return fault;
  }
}

function makeTable(db: Connection, table: Table): void {
  db.exec(createTable(table));
  const present = (db.pragma(`table_xinfo("${table}")`) as { name: string }[]).map(({ name }) => name);
  for (const sql of missingColumns(table, present)) db.exec(sql);
  const index = createIndex(table);
  if (index) db.exec(index);
}

function valueOf(db: Connection, pragma: string): unknown {
  const [row] = db.pragma(pragma) as Record<string, unknown>[];
  return row && Object.values(row)[0];
}

function keptIn(db: Connection, table: Table): (readonly [string, string])[] {
  const rows = db.prepare(selectKept(table)).all() as { key: string; row: string }[];
  return rows.map(({ key, row }) => [key, row]);
}

/** Never deleted: somebody may want to know what was in it. */
function moveAside(path: string): string {
  const to = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, to + suffix);
  }
  renameSync(path, to);
  return to;
}

/** A request, answered whatever comes. */
export function answer(db: Database, request: Request): Answer {
  try {
    switch (request.kind) {
      case 'write':
        db.write(request);
        return { kind: 'done' };
      case 'list':
        return { kind: 'listed', rows: db.list(request) };
      case 'close':
        db.close();
        return { kind: 'done' };
    }
  } catch (error) {
    return { kind: 'failed', fault: faultOf(error) };
  }
}
