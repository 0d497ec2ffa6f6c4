import type { Socket } from 'node:net';

/** A reset and nothing before it: Node's own may send a FIN first, which is an orderly end to a reader. */
export function reset(socket: Socket): void {
  socket._final = (done) => done();
  socket.resetAndDestroy();
}
