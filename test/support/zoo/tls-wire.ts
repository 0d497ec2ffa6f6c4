import type { OnPeer, Send } from './behaviour.ts';

/** A record of TLS: its type, and what it carries. */
export function record(type: number, payload: Buffer | string, version = 0x0303): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.from([type, version >> 8, version & 0xff, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([head, bytes]);
}

export const HANDSHAKE = 22;
export const APPLICATION_DATA = 23;
const FATAL = 2;
const WARNING = 1;

/** RFC 8446 section 6. */
export function alert(code: number, level: 'fatal' | 'warning' = 'fatal'): Buffer {
  return record(21, Buffer.from([level === 'fatal' ? FATAL : WARNING, code]));
}

/** Answers the ClientHello with these bytes, and then acts. */
export function answersHello(
  answer: Buffer | string,
  then: (...peer: Parameters<OnPeer>) => void = () => {},
): OnPeer {
  return (socket, wire) => {
    socket.once('data', () => {
      socket.resume().write(answer, () => setImmediate(() => then(socket, wire)));
    });
  };
}

/** Lets so many bytes of the handshake through, and then acts. */
export function letsThrough(bytes: number, then: (wire: Parameters<Send>[0]) => void): () => Send {
  return () => {
    let left = bytes;
    return (wire, chunk, done) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) wire.raw.write(part);
      if (left === 0) setImmediate(() => then(wire));
      else done();
    };
  };
}

/** Sends the bytes of TLS one by one, as fast as they go. */
export function byteByByte(): Send {
  return ({ raw }, chunk, done) => {
    raw.setNoDelay(true);
    let at = 0;
    const next = (): void => {
      if (raw.destroyed || at === chunk.length) return done();
      raw.write(chunk.subarray(at, ++at), () => setImmediate(next));
    };
    next();
  };
}

/** Changes one bit of what TLS sends, so many bytes in. */
export function spoils(at: number): () => Send {
  return () => {
    let sent = 0;
    return ({ raw }, chunk, done) => {
      const spoilt = Buffer.from(chunk);
      if (sent <= at && at < sent + chunk.length) spoilt[at - sent]! ^= 1;
      sent += chunk.length;
      raw.write(spoilt, () => done());
    };
  };
}

/** Sends these bytes along with what TLS sends in one go, the first time or the second time. */
export function appends(bytes: Buffer, to: 1 | 2): () => Send {
  return () => {
    let times = 0;
    return ({ raw }, chunk, done) => {
      times++;
      raw.write(times === to ? Buffer.concat([chunk, bytes]) : chunk, () => done());
    };
  };
}
