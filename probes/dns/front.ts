import { type DecodedPacket, decode } from 'dns-packet';
import { ProbeFailure } from '../wire/reason.ts';
import type { RecordType } from './codes.ts';

const HEADER = 12;
/** Labels and pointers of one name: 127 labels fit into 255 bytes, and a pointer may follow each. */
const MOST_STEPS = 255;
/** A type that the decoder leaves as bytes. */
const NULL = 10;
const CNAME = 5;

/** Of A and AAAA. */
const SIZES = new Map([
  [1, 4],
  [28, 16],
]);

/** By type: its number, and where names stand in its data (-1: behind the one before). */
const NAMES: Readonly<Record<RecordType, readonly [number, ...number[]]>> = {
  A: [1],
  NS: [2, 0],
  CNAME: [CNAME, 0],
  SOA: [6, 0, -1],
  PTR: [12, 0],
  MX: [15, 2],
  TXT: [16],
  AAAA: [28],
  SRV: [33, 6],
  CAA: [257],
};

/**
 * The question and the answers; what comes after them is not looked at, and records of types that nobody asked for stay
 * bytes. Each name is walked before it is decoded: a chain of pointers to pointers takes a decoder a walk through all of
 * the message, once for each record, and our loop would stand still for that long.
 */
export function decodeFront(message: Buffer, answers: number, type: RecordType): DecodedPacket {
  const front = Buffer.from(message);
  front.writeUInt16BE(1, 4);
  front.writeUInt16BE(answers, 6);
  front.fill(0, 8, HEADER);
  try {
    prepare(front, answers, type);
    return decode(front);
  } catch (error) {
    // Node's own words for a read past the end help nobody; a RangeError of ours has no code.
    if (error instanceof RangeError && 'code' in error) throw cutShort();
    throw new ProbeFailure('protocol', `the reply is malformed: ${(error as Error).message}`);
  }
}

export function cutShort(): ProbeFailure {
  return new ProbeFailure('protocol', 'the reply is cut short');
}

function prepare(front: Buffer, answers: number, wanted: RecordType): void {
  const known = new Map([NAMES[wanted], NAMES.CNAME].map(([number, ...names]) => [number, names]));
  let offset = walk(front, HEADER) + 4;
  for (let count = 0; count < answers; count++) {
    offset = walk(front, offset);
    const data = offset + 10;
    const end = data + front.readUInt16BE(offset + 8);
    const number = front.readUInt16BE(offset);
    const size = SIZES.get(number);
    if (size !== undefined && end - data !== size) throw new RangeError('an address of another size');
    if (end > front.length) throw new RangeError('it ends inside a record');
    const names = known.get(number);
    if (!names) front.writeUInt16BE(NULL, offset);
    let behind = data;
    for (const at of names ?? []) behind = walk(front, at === -1 ? behind : data + at);
    if (behind > end) throw new RangeError('a name leaves its record');
    offset = end;
  }
}

/** Where the name ends that begins here; throws where it has no end. */
function walk(front: Buffer, start: number): number {
  let end: number | undefined;
  let offset = start;
  for (let step = 0; step < MOST_STEPS; step++) {
    const length = front.readUInt8(offset);
    if (length >= 0xc0) {
      end ??= offset + 2;
      offset = front.readUInt16BE(offset) & 0x3fff;
    } else {
      offset += 1 + length;
      if (length === 0) return end ?? offset;
    }
  }
  throw new RangeError('a name has no end');
}
