import { closeSync, existsSync, openSync } from 'node:fs';
import Libsql from 'libsql';
import { StoreError, faultOf } from './fault.ts';
import { VERSION } from './schema.ts';

/**
 * Held for as long as the process lives, whatever ends it: two agents would overwrite each other's rows. A file beside
 * the database, so that a shell can still read that one.
 */
export function takeLock(path: string): Libsql.Database {
  const file = `${path}.lock`;
  makePrivate(file);
  let lock: Libsql.Database | undefined;
  try {
    lock = new Libsql(file);
    // Nothing is ever written to it.
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    // One that can only be read is locked by nobody, and SQLite says so no sooner than here.
    lock.pragma(`user_version = ${VERSION}`);
    return lock;
  } catch (error) {
    lock?.close();
    const { kind, detail } = faultOf(error);
    if (kind === 'busy') throw new StoreError('locked', '');
    if (kind === 'full') throw error;
    throw new StoreError(kind === 'corrupt' ? 'no_lock' : 'lockless', detail);
  }
}

/** Never opens a file that is there: to close it would give back the locks that this process has on it. */
export function makePrivate(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'wx', 0o600));
}
