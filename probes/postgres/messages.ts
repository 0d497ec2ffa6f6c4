import type { Hearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { take } from '../sql/door.ts';

/** No message of a start-up is longer. */
const MAX_MESSAGE = 16 * 1024;

export const TERMINATE = Buffer.from('X\0\0\0\u0004', 'latin1');

/** SSLRequest: its length, and a version number that no protocol has. */
export const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** StartupMessage, protocol 3.0. */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(parameters).flat();
  const body = Buffer.from(`\0\u0003\0\0${words.map((word) => `${word}\0`).join('')}\0`, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

export async function readMessage(hearing: Hearing): Promise<Message> {
  const head = await take(hearing, 5);
  const type = String.fromCharCode(head[0]!);
  const length = head.readUInt32BE(1);
  if (!/[A-Za-z0-9]/.test(type) || length < 4 || length > MAX_MESSAGE) {
    throw new ProbeFailure('protocol', 'this is not PostgreSQL');
  }
  return { type, body: await take(hearing, length - 4) };
}

/** What an ErrorResponse says. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

export function readError(body: Buffer): ServerError {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return { code: fields.get('C') ?? '', message: fields.get('M') ?? 'no message' };
}

/** A ParameterStatus: a name and its value. */
export function readParameter(body: Buffer): readonly [string, string] {
  const [name = '', value = ''] = body.toString('utf8').split('\0');
  return [name, value];
}
