import { shown } from '../wire/shown.ts';
import { violation } from './faults.ts';
import type { Field } from './hpack-decoder.ts';

/** Names in lower case; several fields of one name keep their order. A character for each byte. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** RFC 9113 section 8.2.2: they speak of an HTTP/1 connection. */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

export interface Head {
  readonly status: number;
  readonly headers: Fields;
}

/** The head of an answer, an interim one or the last. Throws ProbeFailure where it is malformed by section 8. */
export function readHead(fields: readonly Field[]): Head {
  const status = fields[0]?.[0] === ':status' ? fields[0][1] : undefined;
  if (status === undefined) {
    const late = fields.some(([name]) => name === ':status');
    throw violation(late ? 'headers in which :status does not come first' : 'headers without :status');
  }
  if (!/^[1-5]\d\d$/.test(status)) throw violation(`a :status that is none: ${told(status)}`);
  if (status === '101') throw violation('status 101, which HTTP/2 does not have');
  return { status: Number(status), headers: readFields(fields.slice(1), 'headers') };
}

export function readTrailers(fields: readonly Field[]): Fields {
  return readFields(fields, 'trailers');
}

function readFields(fields: readonly Field[], where: string): Fields {
  const read = new Map<string, string[]>();
  for (const [name, value] of fields) {
    checkName(name, where);
    // Section 8.2.1.
    if (/[\0\r\n]|^[ \t]|[ \t]$/.test(value)) {
      throw violation(`a value of ${name} that no field may have: ${told(value)}`);
    }
    if (name === 'te' && value !== 'trailers') throw violation('te, which only HTTP/1 answers have');
    const values = read.get(name);
    if (values) values.push(value);
    else read.set(name, [value]);
  }
  return read;
}

function checkName(name: string, where: string): void {
  if (name.startsWith(':')) {
    throw violation(
      name === ':status' && where === 'headers'
        ? 'headers with two :status'
        : `${told(name)}, a pseudo-header that ${where} cannot have`,
    );
  }
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) {
    const kind = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) ? 'with capitals' : 'that is none';
    throw violation(`a field name ${kind}: ${told(name)}`);
  }
  if (CONNECTION_FIELDS.has(name)) throw violation(`${name}, which HTTP/2 does not have`);
}

/** The bytes of content that the head promises; undefined where it promises nothing. */
export function promisedLength({ status, headers }: Head, method: string): number | undefined {
  const values = headers.get('content-length');
  const lengths = new Set(values?.flatMap((value) => value.split(',')).map((value) => value.trim()));
  if (lengths.size > 1) throw violation('different content-lengths');
  const [written] = lengths;
  if (written !== undefined && !/^\d{1,15}$/.test(written)) {
    throw violation(`a content-length that is none: ${told(written)}`);
  }
  // RFC 9110 section 6.4.1: these have no content, whatever their length says.
  if (method === 'HEAD' || status === 204 || status === 304) return 0;
  return written === undefined ? undefined : Number(written);
}

function told(text: string): string {
  return shown(Buffer.from(text, 'latin1'));
}
