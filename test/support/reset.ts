import type { Socket } from 'node:net';

/** A reset and nothing before it: Node's own may send a FIN first, which a reader takes for an orderly end. */
export function reset(socket: Socket): void {
  socket._final = (done) => done();
  socket.resetAndDestroy();
}
