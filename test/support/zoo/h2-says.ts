import type { Socket } from 'node:net';
import { onRequest } from '../h2.ts';
import { type OnPeer, type OverBoth, type Wire, explicit } from './behaviour.ts';

/** Bytes to send, or something to do with the connection. */
export type Saying = Buffer | ((socket: Socket, wire: Wire) => void);

/** An HTTP/2 server that says exactly this once a request is there, and holds the connection. */
export function says(...sayings: readonly Saying[]): OnPeer {
  return (socket, wire) => onRequest(socket, () => utter(socket, wire, sayings));
}

/** The same without listening first. */
export function saysAtOnce(...sayings: readonly Saying[]): OnPeer {
  return (socket, wire) => {
    socket.resume();
    utter(socket, wire, sayings);
  };
}

function utter(socket: Socket, wire: Wire, sayings: readonly Saying[]): void {
  // What is said before the connection ends must not be overtaken by its end.
  const last = sayings.findLastIndex((saying) => typeof saying !== 'function');
  sayings.forEach((saying, index) => {
    if (index > last) return;
    if (typeof saying === 'function') saying(socket, wire);
    else socket.write(saying, index === last ? rest : undefined);
  });
  function rest(): void {
    for (const saying of sayings.slice(last + 1))
      (saying as (socket: Socket, wire: Wire) => void)(socket, wire);
  }
  if (last === -1) rest();
}

export const ends = (socket: Socket): void => void socket.end();
export const resets = (_socket: Socket, wire: Wire): void => wire.reset();

/** A row for what the RFC does not allow: the first such frame is told at once. */
export function illegal(name: string, onPeer: OnPeer, message: RegExp): OverBoth {
  return { name, onPeer, expected: explicit('protocol', message) };
}
