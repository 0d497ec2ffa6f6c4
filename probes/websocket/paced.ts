import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** Bytes that are handed on in one turn of the loop: a thousand of the smallest frames. */
const AT_ONCE = 2_048;

/**
 * The same bytes, a little at a time. ws goes on with what it has been given when nobody wants it any more, so that a
 * packet of tiny frames would keep the loop busy long after its attempt: it is given no more than it can be let have.
 */
export function paced(below: Socket): Duplex {
  let wanted = false;
  function pull(): void {
    if (stream.destroyed || !wanted) return;
    const bytes = below.read(Math.min(AT_ONCE, below.readableLength)) as Buffer | null;
    if (bytes === null) return;
    wanted = false;
    stream.push(bytes);
  }
  const stream = new Duplex({
    read() {
      wanted = true;
      setImmediate(pull);
    },
    write: (chunk: Buffer, _encoding, done) => void below.write(chunk, done),
    // The connection belongs to whoever dialled it, and is closed there.
    final: (done) => done(),
  });
  below.on('readable', pull);
  below.once('end', () => stream.push(null));
  below.once('error', (error) => stream.destroy(error));
  below.once('close', () => stream.destroy());
  // What goes wrong once nobody listens must not end the process.
  stream.on('error', () => {});
  return stream;
}
