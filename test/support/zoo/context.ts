import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { type TlsOptions, createServer as createTls } from 'node:tls';
import { reset } from '../reset.ts';
import type { OnPeer, ZooContext } from './behaviour.ts';
import type { Certificates } from './certificates.ts';

/** What rows listen with. `close` ends every server and every connection that was accepted. */
export function createZooContext(
  certificates: Certificates | undefined,
): ZooContext & { close(): Promise<void> } {
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();

  function certain(): Certificates {
    if (!certificates) throw new Error('this row needs openssl');
    return certificates;
  }

  async function serve(server: Server): Promise<number> {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', ignore);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.add(server);
    return (server.address() as AddressInfo).port;
  }

  function startTls(raw: Socket, onPeer: OnPeer, options?: TlsOptions): void {
    const server = createTls({ ...(!options?.SNICallback && certain().good), ...options }, (socket) => {
      socket.on('error', ignore);
      onPeer(socket, wireOf(raw));
    });
    server.on('tlsClientError', ignore);
    server.emit('connection', detached(raw));
  }

  return {
    get certificates() {
      return certain();
    },
    serve,
    tcpServer: (onPeer) => serve(createServer((raw) => onPeer(raw, wireOf(raw)))),
    tlsServer: (onPeer, options) => serve(createServer((raw) => startTls(raw, onPeer, options))),
    upgrading: (onPeer) =>
      serve(createServer((raw) => onPeer(raw, (onTls, options) => startTls(raw, onTls, options)))),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
      servers.clear();
    },
  };
}

function wireOf(raw: Socket): { raw: Socket; reset(): void; cut(): void } {
  return { raw, reset: () => reset(raw), cut: () => void raw.end() };
}

/** TLS takes over the handle of a socket that it runs on, and a reset then crashes Node 20: it gets this instead. */
function detached(raw: Socket): Duplex {
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
    final: (done) => void raw.end(done),
    destroy(error, done) {
      raw.destroy();
      done(error);
    },
  });
  raw.on('data', (chunk) => {
    if (!stream.push(chunk)) raw.pause();
  });
  raw.once('end', () => stream.push(null));
  raw.once('close', () => stream.destroy());
  stream.on('error', ignore);
  return stream;
}

function ignore(): void {}
