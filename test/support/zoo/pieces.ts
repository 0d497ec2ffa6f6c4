import type { Socket } from 'node:net';

/** Sends the bytes in pieces of this size, each in a packet of its own where the system lets it. */
export function inPieces(socket: Socket, bytes: Buffer, size: number, then = (): void => {}): void {
  socket.setNoDelay(true);
  let at = 0;
  const next = (): void => {
    if (socket.destroyed) return;
    if (at >= bytes.length) return then();
    const piece = bytes.subarray(at, at + size);
    at += size;
    socket.write(piece, () => setImmediate(next));
  };
  next();
}

/** Sends the same for ever, as fast as the peer reads. */
export function endlessly(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

/** Sends a little, now and again, until the peer has had enough. */
export function trickle(socket: Socket, bytes: Buffer, everyMs = 5): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(at, at + 1));
    at = (at + 1) % bytes.length;
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
  socket.resume();
}

/** Acts once the head of a request is in, with all that has come by then. */
export function onceAsked(socket: Socket, act: (request: string) => void): void {
  let heard = '';
  const onData = (chunk: Buffer): void => {
    heard += chunk.toString('latin1');
    if (!heard.includes('\r\n\r\n')) return;
    socket.removeListener('data', onData);
    socket.resume();
    act(heard);
  };
  socket.on('data', onData);
}
