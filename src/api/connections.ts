import type { Server, Socket } from 'node:net';

export interface Bound {
  /** This connection has a request of somebody we know, until the function that it gives is called. */
  hold(socket: Socket): () => void;
}

interface Neighbour {
  readonly from: string;
  /** Requests in hand of those we know. */
  held: number;
}

/**
 * Past the bound one goes: the oldest of the address that has the most of them, so that whoever opens connections without
 * end shuts out nobody but itself. One with a request of somebody we know never goes, however slow its body comes.
 */
export function boundConnections(server: Server, most: number, onEvicted: (socket: Socket) => void): Bound {
  const open = new Map<Socket, Neighbour>();
  /** Those that may go, by address, the oldest first. */
  const loose = new Map<string, Set<Socket>>();

  function loosen(socket: Socket, from: string): void {
    const same = loose.get(from);
    if (same) same.add(socket);
    else loose.set(from, new Set([socket]));
  }
  function fasten(socket: Socket, from: string): void {
    const same = loose.get(from);
    if (same?.delete(socket) && same.size === 0) loose.delete(from);
  }
  function evict(): void {
    let largest = new Set<Socket>();
    for (const same of loose.values()) if (same.size > largest.size) largest = same;
    const [oldest] = largest;
    if (!oldest) return;
    forget(oldest);
    onEvicted(oldest);
    oldest.destroy();
  }
  function forget(socket: Socket): void {
    const neighbour = open.get(socket);
    open.delete(socket);
    if (neighbour) fasten(socket, neighbour.from);
  }

  server.on('connection', (socket: Socket) => {
    const from = socket.remoteAddress ?? '';
    open.set(socket, { from, held: 0 });
    loosen(socket, from);
    socket.once('close', () => forget(socket));
    if (open.size > most) evict();
  });
  return {
    hold(socket) {
      const neighbour = open.get(socket);
      if (!neighbour) return () => {};
      neighbour.held++;
      fasten(socket, neighbour.from);
      return () => {
        if (--neighbour.held === 0 && open.has(socket)) loosen(socket, neighbour.from);
      };
    },
  };
}
