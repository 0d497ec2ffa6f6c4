import { createAnswerBounds } from './answer.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** No packet of the client's, and none of an answer that we read, is longer. */
const MAX_PACKET = 1024 * 1024;

/**
 * The numbers of packets, which go on over both directions. A server that breaks off their sequence is found out here: the
 * client would print it. Once TLS has begun after the client's first packet, numbers are one higher on the wire.
 */
export interface Framing {
  /** What the client sends, renumbered; each write is one whole packet, or several. */
  sent(bytes: Buffer): Buffer;
  /** What the server sends, renumbered. Throws where it is out of order. */
  received(bytes: Buffer): Buffer;
  /** A packet that the client does not know of has gone out. */
  shift(): void;
}

export function createFraming(): Framing {
  const bounds = createAnswerBounds();
  const head = Buffer.alloc(4);
  const start = Buffer.alloc(3);
  let started = 0;
  let size = 0;
  let headLength = 0;
  let left = 0;
  let last = 0;
  let offset = 0;

  function onHead(): void {
    left = head.readUIntLE(0, 3);
    const expected = (last + 1) & 0xff;
    if (left > MAX_PACKET || head[3] !== expected) {
      throw new ProbeFailure('protocol', 'the packets of the server are out of order');
    }
    size = left;
    started = 0;
    if (size === 0) bounds.packet(0, start.subarray(0, 0));
    last = expected;
    head[3] = (expected - offset) & 0xff;
  }

  /** The first bytes of a packet may come one by one. */
  function onPart(part: Buffer): void {
    const wanted = Math.min(start.length, size);
    if (started === wanted) return;
    started += part.copy(start, started, 0, wanted - started);
    if (started === wanted) bounds.packet(size, start.subarray(0, wanted));
  }

  return {
    shift() {
      offset = 1;
      last = 1;
    },
    sent(bytes) {
      const out = Buffer.from(bytes);
      for (let at = 0; at + 4 <= out.length; at += 4 + out.readUIntLE(at, 3)) {
        // A command: its numbers begin anew.
        if (out[at + 3] === 0) {
          offset = 0;
          bounds.begin();
        }
        last = (out[at + 3]! + offset) & 0xff;
        out[at + 3] = last;
      }
      return out;
    },
    received(bytes) {
      const out: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        if (left > 0) {
          const part = bytes.subarray(at, at + left);
          out.push(part);
          onPart(part);
          at += part.length;
          left -= part.length;
          continue;
        }
        const part = bytes.subarray(at, at + 4 - headLength);
        part.copy(head, headLength);
        headLength += part.length;
        at += part.length;
        if (headLength < 4) break;
        headLength = 0;
        onHead();
        out.push(Buffer.from(head));
      }
      return Buffer.concat(out);
    },
  };
}
