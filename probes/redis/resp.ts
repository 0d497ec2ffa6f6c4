import type { ProbeContext } from '../../src/core/probe.ts';
import { type Hearing, MAX_HEARD } from '../wire/hearing.ts';
import { printable } from '../wire/printable.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** A reply of the protocol RESP2; of its types, those that our commands have. */
export interface Reply {
  readonly isError: boolean;
  readonly text: string;
}

const LONGEST_LINE = 1_024;

/** A command as an array of bulk strings: its arguments may hold any bytes. */
export function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** The next reply; undefined where it was not complete by that time, or by the end of the connection. */
export async function readReply(
  hearing: Hearing,
  { enter }: Pick<ProbeContext, 'enter'>,
  until: number,
): Promise<Reply | undefined> {
  for (;;) {
    const heard = hearing.heard();
    if (heard.length > 0) enter('receive');
    const found = parse(heard);
    if (found) {
      hearing.useUp(found.bytes);
      return found;
    }
    if (hearing.ending() !== undefined) return undefined;
    if (!(await hearing.more(until))) return undefined;
  }
}

/** Undefined while there is more to come. Strict: a stranger is told from a Redis by its first byte. */
function parse(heard: Buffer): (Reply & { readonly bytes: number }) | undefined {
  if (heard.length === 0) return undefined;
  const type = String.fromCharCode(heard[0]!);
  if (!'+-:$'.includes(type)) throw strange(heard);
  const end = heard.subarray(0, LONGEST_LINE).indexOf('\r\n');
  if (end === -1) {
    if (heard.length >= LONGEST_LINE) throw strange(heard);
    return undefined;
  }
  const line = heard.toString('utf8', 1, end);
  const start = end + 2;
  if (type !== '$') return { isError: type === '-', text: line, bytes: start };
  if (line === '-1') return { isError: false, text: '', bytes: start };
  if (!/^\d{1,9}$/.test(line)) throw strange(heard);
  const size = Number(line);
  if (start + size + 2 > MAX_HEARD) throw new ProbeFailure('too_large', `a reply has ${size} bytes`);
  const bytes = start + size + 2;
  if (heard.length < bytes) return undefined;
  if (heard.toString('latin1', bytes - 2, bytes) !== '\r\n') throw strange(heard);
  return { isError: false, text: heard.toString('utf8', start, bytes - 2), bytes };
}

function strange(heard: Buffer): ProbeFailure {
  return new ProbeFailure(
    'protocol',
    `this is not Redis; it says ${printable(heard.toString('latin1', 0, 100))}`,
  );
}
