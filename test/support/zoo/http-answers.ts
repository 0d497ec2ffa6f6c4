import type { OnPeer } from './behaviour.ts';
import { onceAsked } from './pieces.ts';

export const OK = 'HTTP/1.1 200 OK\r\n';
export const HI = `${OK}Content-Length: 2\r\n\r\nhi`;
export const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Answers a request with these bytes, and waits for us to go. */
export function says(answer: string): OnPeer {
  return (socket) => onceAsked(socket, () => void socket.write(answer, 'latin1'));
}

/** The same, and then an orderly end. */
export function saysAndCloses(answer: string): OnPeer {
  return (socket) => onceAsked(socket, () => void socket.end(answer, 'latin1'));
}

/** The same, and then a reset. */
export function saysAndResets(answer: string): OnPeer {
  return (socket, wire) =>
    onceAsked(socket, () => {
      if (answer === '') wire.reset();
      // Once it is on its way: a reset takes back what has not left.
      else socket.write(answer, 'latin1', () => setImmediate(wire.reset));
    });
}

/** Does not wait for a request. */
export function greets(answer: string): OnPeer {
  return (socket) => void socket.resume().write(answer, 'latin1');
}
