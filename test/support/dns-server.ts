import type { Socket } from 'node:net';
import { type Answer, AUTHORITATIVE_ANSWER, type Packet, decode, encode } from 'dns-packet';

/** The flags of a reply with this response code. */
export function rcode(code: number, flags = 0): number {
  return flags | code;
}

/** A reply to the query, as bytes. */
export function replyTo(
  query: Buffer,
  answers: Answer[],
  { flags = AUTHORITATIVE_ANSWER, ...rest }: Packet = {},
) {
  const { id, questions } = decode(query);
  return encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [], answers, ...rest });
}

export function a(data: string, name = 'example.internal', ttl = 60): Answer {
  return { type: 'A', name, ttl, class: 'IN', data };
}

/** A connection of a TCP name server: each query that comes, without its length. */
export function onQuery(socket: Socket, take: (query: Buffer) => void): void {
  let heard = Buffer.alloc(0);
  socket.on('data', (part) => {
    heard = Buffer.concat([heard, part]);
    while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
      const end = 2 + heard.readUInt16BE(0);
      take(heard.subarray(2, end));
      heard = heard.subarray(end);
    }
  });
}

/** The message after its length, as it goes over TCP. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
