import type { Field } from './hpack-decoder.ts';
import { STATIC_TABLE } from './static-table.ts';

/** A dynamic table of no size (RFC 7541 section 6.3): we never use one. */
export const EMPTY_TABLE = Buffer.from([0x20]);

const INDEX_OF_NAME = new Map(STATIC_TABLE.map(([name], at) => [name, at + 1] as const).toReversed());
const INDEX_OF_FIELD = new Map(STATIC_TABLE.map(([name, value], at) => [`${name}\0${value}`, at + 1]));

/** Section 7.1.3: who passes these on may not put them into a table either. */
const SENSITIVE = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** A header block that leaves nothing in the peer's table: one request does not repeat itself. */
export function encodeFields(fields: readonly Field[]): Buffer {
  const bytes: number[] = [];
  for (const [name, value] of fields) {
    const known = INDEX_OF_FIELD.get(`${name}\0${value}`);
    if (known !== undefined && value !== '') {
      integer(bytes, 0x80, 7, known);
      continue;
    }
    const index = INDEX_OF_NAME.get(name) ?? 0;
    integer(bytes, SENSITIVE.has(name) ? 0x10 : 0, 4, index);
    if (index === 0) text(bytes, name);
    text(bytes, value);
  }
  return Buffer.from(bytes);
}

function integer(bytes: number[], flags: number, prefix: number, value: number): void {
  const most = 2 ** prefix - 1;
  if (value < most) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | most);
  let rest = value - most;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

function text(bytes: number[], written: string): void {
  integer(bytes, 0, 7, written.length);
  for (let at = 0; at < written.length; at++) bytes.push(written.charCodeAt(at) & 0xff);
}
