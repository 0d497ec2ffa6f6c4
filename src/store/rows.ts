import { type ClimbRow, climbKey } from '../core/action.ts';
import { scopeKey } from '../core/pause.ts';
import type { Row, Table } from '../core/store.ts';
import { DOCUMENTS } from './documents.ts';

/**
 * What a row has to be so that the agent can live with it. A file can be damaged without SQLite seeing it, and people have
 * shells. What nobody has written is let pass; what an earlier version has not known may be missing.
 */
export type Reading =
  | { readonly usable: true; readonly row: Row }
  | { readonly usable: false; readonly why: string };

/** A row as it stands in the file. Without a key: of a history. */
export function readRow(table: Table, key: string | null, json: string): Reading {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    return { usable: false, why: 'no JSON' };
  }
  const result = DOCUMENTS[table].safeParse(document);
  if (!result.success) {
    const [{ path, message } = { path: [], message: '' }] = result.error.issues;
    const words = message.replace(/^Invalid \w+: /, '');
    return { usable: false, why: path.length === 0 ? words : `${path.join('.')}: ${words}` };
  }
  const row = result.data as Row;
  const named = key === null ? null : NAME_IN[table]?.(row);
  if (named !== null && named !== undefined && named !== key)
    return { usable: false, why: `it is of ${JSON.stringify(named)}` };
  return { usable: true, row };
}

/** What stands in the document as its key, too. */
const NAME_IN: Partial<Record<Table, (row: Row) => unknown>> = {
  incident: ({ id }) => id,
  action: ({ id }) => id,
  climb: (row) => climbKey(row as unknown as ClimbRow),
  pause: ({ scope }) => scopeKey(scope as Parameters<typeof scopeKey>[0]),
};
