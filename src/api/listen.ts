import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { dirname } from 'node:path';
import { type Endpoint, formatEndpoint } from '../core/address.ts';

/** The address cannot be listened on; the message says which and why. */
export class ListenError extends Error {}

const BACKLOG = 1_024;

/** Throws ListenError. The file of a unix socket is for its owner alone. */
export async function listenAt(server: Server, endpoint: Endpoint): Promise<void> {
  try {
    if ('socket' in endpoint) await clearTheWay(endpoint.socket);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(
        'socket' in endpoint
          ? { path: endpoint.socket, backlog: BACKLOG }
          : { ...endpoint, backlog: BACKLOG },
        () => {
          server.off('error', reject);
          resolve();
        },
      );
      // The file is there at once, and nobody has been let in before the next turn of the loop.
      if ('socket' in endpoint && server.listening) chmodSync(endpoint.socket, 0o600);
    });
  } catch (error) {
    throw new ListenError(`cannot listen on ${formatEndpoint(endpoint)}: ${whyNot(error)}`);
  }
}

/** Takes away what an agent that was killed has left; throws where somebody listens, or the file is no socket. */
async function clearTheWay(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // The system says of both that it was not permitted.
  if (!existsSync(dirname(path))) throw new Error('there is no such directory');
  if (!found) return;
  if (!found.isSocket()) throw new Error('there is a file that is no socket');
  const isTaken = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
  });
  if (isTaken) throw new Error('somebody listens there already');
  unlinkSync(path);
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is in use';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'EACCES':
      return 'not permitted';
    default:
      return message;
  }
}
