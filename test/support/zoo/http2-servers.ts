import type { Socket } from 'node:net';
import { HELLO, data, headers, onClientFrame, onRequest, rstStream, settings, windowUpdate } from '../h2.ts';
import { says } from './h2-says.ts';

const HEAD = headers({ ':status': '200', 'content-type': 'text/plain' });
/** A whole answer, from SETTINGS on. */
export const READY = [HELLO, HEAD, data('ready', { ends: true })];

/** Answers at the head of the request, and wants no more of it (RFC 9113 section 8.1). */
export const refusing = says(HELLO, headers({ ':status': '413' }, { ends: true }), rstStream(0));

/** Takes the request's content in small pieces only. */
export function reluctant(socket: Socket): void {
  socket.write(settings([4, 1_000]));
  let received = 0;
  onClientFrame(socket, ({ type, flags, payload }) => {
    if (type !== 0) return;
    received += payload.length;
    socket.write(Buffer.concat([windowUpdate(20_000), windowUpdate(20_000, 1)]));
    if ((flags & 1) !== 0) {
      socket.write(Buffer.concat([HEAD, data(received === 70_000 ? 'ready' : 'less', { ends: true })]));
    }
  });
}

/** `/` leads to `/there`. */
export function redirecting(socket: Socket): void {
  onRequest(socket, ({ payload }) => {
    const there = payload.includes('/there');
    const moved = headers({ ':status': '302', location: '/there' }, { ends: true });
    socket.write(Buffer.concat(there ? READY : [HELLO, moved]));
  });
}
