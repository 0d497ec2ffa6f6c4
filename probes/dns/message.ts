import { type Answer, RECURSION_DESIRED, encode } from 'dns-packet';
import { ProbeFailure } from '../wire/reason.ts';
import { RCODES, type RecordType } from './codes.ts';
import { cutShort, decodeFront } from './front.ts';
import { textOf } from './record.ts';

export interface Question {
  readonly id: number;
  /** Without a dot at its end. */
  readonly name: string;
  readonly type: RecordType;
  readonly recursion: boolean;
  /** Whether we say how large a datagram we take (RFC 6891). */
  readonly edns: boolean;
}

export interface Reply {
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly edns: boolean;
  /** The records that were asked for, aliases followed, in the order of their texts. */
  readonly records: readonly Record[];
}

export interface Record {
  readonly text: string;
  readonly ttl: number;
}

/** What passes every path without being cut into pieces (DNS flag day 2020). */
const UDP_SIZE = 1_232;
const HEADER = 12;
const MOST_RECORDS = 256;
const LARGEST_MESSAGE = 32 * 1_024;

export function encodeQuestion({ id, name, type, recursion, edns }: Question): Buffer {
  const opt = {
    type: 'OPT' as const,
    name: '.' as const,
    udpPayloadSize: UDP_SIZE,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'query',
    id,
    flags: recursion ? RECURSION_DESIRED : 0,
    questions: [{ type, name, class: 'IN' }],
    ...(edns && { additionals: [opt] }),
  });
}

/** Undefined where it is not the reply to this question: somebody else's, an old one, a forgery. */
export function decodeReply(message: Buffer, question: Question): Reply | undefined {
  if (message.length < 2 || message.readUInt16BE(0) !== question.id) return undefined;
  if (message.length < HEADER) throw cutShort();
  const flags = message.readUInt16BE(2);
  const isReply = flags >> 15 === 1;
  const opcode = (flags >> 11) & 0xf;
  if (!isReply || opcode !== 0) return undefined;
  const rcode = flags & 0xf;
  const truncated = (flags & 0x02_00) !== 0;
  const answers = message.readUInt16BE(6);
  if (message.length > LARGEST_MESSAGE || answers > MOST_RECORDS) {
    throw new ProbeFailure('too_large', `the reply has ${answers} records in ${message.length} bytes`);
  }
  const head = {
    rcode: RCODES[rcode] ?? `RCODE${rcode}`,
    authoritative: (flags & 0x04_00) !== 0,
    truncated,
    edns: message.readUInt16BE(10) > 0,
  };
  // A server that could not read the question may leave it out (RFC 1035 section 4.1.1 knows no better).
  if (message.readUInt16BE(4) === 0) return rcode === 0 || rcode === 3 ? undefined : { ...head, records: [] };
  const { questions = [], answers: records = [] } = decodeFront(
    message,
    truncated ? 0 : answers,
    question.type,
  );
  const [asked] = questions;
  if (asked?.type !== question.type || asked.class !== 'IN' || !isSame(asked.name, question.name))
    return undefined;
  return { ...head, records: recordsOf(records, question) };
}

/** Those of the wanted type that belong to the name, or to what it is an alias of. */
function recordsOf(answers: readonly Answer[], { name, type }: Question): Record[] {
  const aliases = new Map<string, string>();
  for (const answer of answers) {
    if (answer.type === 'CNAME') aliases.set(canonical(answer.name), canonical(answer.data));
  }
  const names = new Set<string>();
  const follow = type === 'CNAME' ? undefined : aliases;
  for (
    let at: string | undefined = canonical(name);
    at !== undefined && !names.has(at);
    at = follow?.get(at)
  ) {
    names.add(at);
  }
  return answers
    .filter(
      (answer) =>
        answer.type === type &&
        'class' in answer &&
        answer.class === 'IN' &&
        names.has(canonical(answer.name)),
    )
    .map((answer) => ({ text: textOf(answer), ttl: 'ttl' in answer ? (answer.ttl ?? 0) : 0 }))
    .toSorted((one, other) => (one.text < other.text ? -1 : 1));
}

function isSame(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
