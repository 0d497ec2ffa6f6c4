import { type Facts, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Trace } from '../../src/core/trace.ts';
import type { SqlSettings } from './settings.ts';

const MOST_FACTS = 32;
const LONGEST_TEXT = 500;

/** The beginning of what a query gave. */
export interface Answer {
  readonly columns: readonly string[];
  /** Undefined where there was no row; null is SQL's NULL. */
  readonly row: readonly unknown[] | undefined;
}

/** What a server's answer to the query is worth. */
export function judgeAnswer(
  { columns, row }: Answer,
  { query, expect }: SqlSettings,
  about: Facts,
  trace: Trace | undefined,
): Outcome {
  const first = row === undefined ? undefined : shownValue(row[0]);
  const facts = query === undefined ? about : { ...factsOf(columns, row ?? []), ...about };
  if (expect) {
    const passed = first !== undefined && expect.matches(first);
    trace?.({ kind: 'rule', rule: 'expect', passed, value: first ?? 'no row' });
    if (first === undefined) return fail('mismatch', 'the query gave no row', facts);
    if (!passed) return fail('mismatch', `"${first}" does not match /${expect.source}/`, facts);
  }
  if (query === undefined) return ok('ready, SELECT 1 was answered', facts);
  return ok(first === undefined ? 'the query gave no row' : `the query gave "${first}"`, facts);
}

function factsOf(columns: readonly string[], row: readonly unknown[]): Facts {
  const facts: Record<string, string | number | boolean> = {};
  for (const [index, value] of row.slice(0, MOST_FACTS).entries()) {
    const name = columns[index];
    if (name === undefined || name === '__proto__' || value === null || value === undefined) continue;
    facts[name] = typeof value === 'number' || typeof value === 'boolean' ? value : shownValue(value);
  }
  return facts;
}

function shownValue(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  const text = Buffer.isBuffer(value)
    ? `0x${value.toString('hex')}`
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  return text.slice(0, LONGEST_TEXT).replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
}
