import type { Hearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { take } from '../sql/door.ts';

/** No packet of a handshake is longer. */
const MAX_PACKET = 16 * 1024;

/** Capabilities, see the protocol's documentation. */
export const CLIENT_SSL = 0x800;
const WANTED = 0x1 | 0x200 | 0x8000 | 0x80000;
const UTF8MB4 = 45;

export interface Packet {
  readonly sequence: number;
  readonly body: Buffer;
}

export async function readPacket(hearing: Hearing): Promise<Packet> {
  const head = await take(hearing, 4);
  const length = head.readUIntLE(0, 3);
  if (length === 0 || length > MAX_PACKET) throw notMysql();
  return { sequence: head[3]!, body: await take(hearing, length) };
}

export function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, body]);
}

/** COM_QUIT. */
export const QUIT = packet(0, Buffer.from([1]));

export interface Greeting {
  readonly version: string;
  readonly capabilities: number;
}

/** What the server says first: its version, protocol 10. */
export function readGreeting({ sequence, body }: Packet): Greeting {
  const end = body.indexOf(0, 1);
  // The thread, 8 bytes of the challenge, a filler; then the capabilities, in two halves.
  const at = end + 1 + 4 + 8 + 1;
  if (sequence !== 0 || body[0] !== 10 || end === -1 || body.length < at + 2) throw notMysql();
  const low = body.readUInt16LE(at);
  const high = body.length >= at + 7 ? body.readUInt16LE(at + 5) : 0;
  // MariaDB says 5.5.5- first, for replicas that would not believe a 10.
  const version = body.toString('latin1', 1, Math.min(end, 100)).replace(/^5\.5\.5-(?=\d)/, '');
  return { version: version.replaceAll(/[^\u0020-\u007e]/g, '?'), capabilities: low + high * 0x1_0000 };
}

/** HandshakeResponse41 of somebody without a password; the first 32 bytes are the SSLRequest, too. */
export function handshakeResponse({ capabilities }: Greeting, user: string, overTls: boolean): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE((WANTED & capabilities) | (overTls ? CLIENT_SSL : 0), 0);
  head.writeUInt32LE(0xff_ff_ff, 4);
  head[8] = UTF8MB4;
  return Buffer.concat([head, Buffer.from(`${user}\0\0mysql_native_password\0`, 'latin1')]);
}

/** What an ERR packet says. */
export interface ServerError {
  readonly number: number;
  readonly message: string;
}

export function isError({ body }: Packet): boolean {
  return body[0] === 0xff && body.length >= 3;
}

export function readError({ body }: Packet): ServerError {
  // `#` and a SQLSTATE come first, but not before the handshake.
  const text = body.toString('utf8', 3).replace(/^#[0-9A-Z]{5}/, '');
  return { number: body.readUInt16LE(1), message: text };
}

export function notMysql(): ProbeFailure {
  return new ProbeFailure('protocol', 'this is not MySQL');
}
