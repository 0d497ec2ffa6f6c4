import type { Table } from '../core/store.ts';

/**
 * What the agent asks of the thread that owns the database, and what it answers: plain data, one answer for each request,
 * in their order. The first answer comes unasked, once the database is open. It is opened once: who wants it anew starts
 * another thread, for only its end lets go of all that it holds.
 */
export type Request =
  /**
   * One transaction, in as many requests as it takes: `more` says that this is not the last. `sync`: on the disk when it is
   * answered, and not merely handed to the system.
   */
  | {
      readonly kind: 'write';
      readonly rows: readonly WrittenRow[];
      readonly sync: boolean;
      readonly more: boolean;
    }
  | {
      readonly kind: 'list';
      readonly table: Table;
      readonly limit: number;
      readonly where: Readonly<Record<string, string | null>>;
    }
  | { readonly kind: 'close' };

/** Table, key (null: a row of its own), JSON (null: forgotten), wall clock ms. */
export type WrittenRow = readonly [table: Table, key: string | null, json: string | null, at: number];

export type Answer =
  | {
      readonly kind: 'opened';
      readonly kept: Kept;
      readonly movedTo: string | null;
      /** It can be read and no more. */
      readonly unwritable: Fault | null;
    }
  | { readonly kind: 'listed'; readonly rows: readonly string[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly fault: Fault };

export type Kept = Readonly<Partial<Record<Table, readonly (readonly [key: string, json: string])[]>>>;

/** Why the store does not work. */
export interface Fault {
  readonly kind: keyof typeof REMEDY;
  /** In the words of the system or of SQLite. */
  readonly detail: string;
}

/** What there is to do. */
const REMEDY = {
  locked: 'another vitald keeps its state there; give each one a file of its own by state:',
  busy: 'another program holds a lock on it, such as a shell with an open transaction',
  full: 'the disk is full; make room',
  unwritable: 'it cannot be written; mend its owner and permissions, or name another file by state:',
  corrupt: 'it is no whole database; it will be moved aside',
  lockless:
    'the .lock beside it, which keeps a second vitald out, cannot be used: mend its owner and permissions',
  no_lock: 'the .lock beside it, which keeps a second vitald out, is something else: take it away',
  foreign: 'it is a database of something else; name another file by state:',
  newer: 'a newer vitald has written it; run that one, or name another file by state:',
  gone: 'it was removed or replaced',
  disk: 'the disk does not take it',
  stuck: 'the disk does not answer',
  died: 'its thread has ended',
  unavailable: 'there is no SQLite for this system; reinstall with optional packages, or say state: off',
} as const;

export function inWords(path: string, { kind, detail }: Fault): string {
  return `${path}: ${REMEDY[kind]}${detail === '' ? '' : ` (${detail})`}`;
}
