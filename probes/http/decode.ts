import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { ProbeFailure } from '../wire/reason.ts';
import { printable } from '../wire/printable.ts';

export const ACCEPT_ENCODING = 'gzip, deflate, br';
/** One coding inside another is legal, and a tower of them is an attack. */
const MOST_CODINGS = 3;

interface Limit {
  /** Bytes of output after which decoding ends: no more than this and a chunk is ever in memory. */
  readonly maxOutputLength: number;
}

const decoders: Readonly<Record<string, (body: Buffer, limit: Limit) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Limit, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, Limit, Buffer>(gunzip),
  deflate: async (body, limit) => await (isZlib(body) ? zlib(body, limit) : raw(body, limit)),
  br: promisify<Buffer, Limit, Buffer>(brotliDecompress),
};
const zlib = promisify<Buffer, Limit, Buffer>(inflate);
const raw = promisify<Buffer, Limit, Buffer>(inflateRaw);

/**
 * The body without its content codings; undefined where it is larger than `limit`. Throws ProbeFailure for a coding that
 * is not known, is broken or is cut off. It runs on the system's threads, not on the loop.
 */
export async function decode(
  body: Buffer,
  codings: readonly string[],
  limit: number,
): Promise<Buffer | undefined> {
  const applied = codings
    .flatMap((value) => value.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (applied.length > MOST_CODINGS) {
    throw new ProbeFailure('protocol', `the body has ${applied.length} codings, one inside the other`);
  }
  let decoded = body;
  // The last one that was applied is taken off first. An empty body has nothing to take off.
  for (const coding of applied.toReversed()) {
    const decoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
    if (!decoder) throw new ProbeFailure('protocol', `unknown content coding: ${printable(coding)}`);
    if (decoded.length === 0) return decoded;
    try {
      decoded = await decoder(decoded, { maxOutputLength: Math.max(1, limit) });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') return undefined;
      throw new ProbeFailure('protocol', `the body is not ${coding}: ${message}`);
    }
  }
  return decoded.length > limit ? undefined : decoded;
}

/** RFC 9110 section 8.4.1.2 means the zlib format, and some servers send the bare one. */
function isZlib(body: Buffer): boolean {
  return (body[0]! & 0x0f) === 8 && body.length > 1 && body.readUInt16BE(0) % 31 === 0;
}
