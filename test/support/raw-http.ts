import { type Socket, connect } from 'node:net';
import { afterEach } from 'vitest';

const open = new Set<Socket>();

afterEach(() => {
  for (const socket of open) socket.destroy();
  open.clear();
});

export interface RawConnection {
  readonly socket: Socket;
  /** All that has come so far. */
  heard(): string;
  /** Resolves once this has come; rejects where the connection ends without it. */
  hears(text: string): Promise<string>;
  /** All that came, once the connection has ended, in whichever way. */
  readonly ended: Promise<string>;
}

/** A connection on which a test writes what no client would. */
export async function rawConnection(
  port: number,
  host = '127.0.0.1',
  localAddress?: string,
): Promise<RawConnection> {
  const socket = connect({ port, host, ...(localAddress !== undefined && { localAddress }) });
  open.add(socket);
  let text = '';
  const waiting = new Set<() => void>();
  let isOver = false;
  const ended = new Promise<string>((resolve) => {
    socket.once('close', () => {
      isOver = true;
      open.delete(socket);
      for (const look of waiting) look();
      resolve(text);
    });
  });
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    socket,
    heard: () => text,
    ended,
    hears: (wanted) =>
      new Promise((resolve, reject) => {
        function look(): void {
          if (!text.includes(wanted) && !isOver) return;
          waiting.delete(look);
          if (text.includes(wanted)) resolve(text);
          else reject(new Error(`the connection ended without ${JSON.stringify(wanted)}: ${text}`));
        }
        waiting.add(look);
        look();
      }),
  };
}

/** Sends these bytes and hears the connection out. */
export async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const { socket, ended } = await rawConnection(port);
  socket.write(bytes);
  return await ended;
}
