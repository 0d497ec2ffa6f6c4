import { AsyncLocalStorage } from 'node:async_hooks';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { type TlsOptions, createServer as createTls } from 'node:tls';
import { reset } from '../reset.ts';
import type { OnPeer, Send, Wire, ZooContext } from './behaviour.ts';
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

  /** One server for all connections: the contexts that it would make anew cost more than all else. */
  function overTls(onPeer: OnPeer, options?: TlsOptions, send?: () => Send): (raw: Socket) => void {
    // A connection that is through its handshake does not say over which socket it came.
    const below = new AsyncLocalStorage<Socket>();
    const server = createTls({ ...(!options?.SNICallback && certain().good), ...options }, (socket) => {
      socket.on('error', ignore);
      onPeer(socket, wireOf(below.getStore()!));
    });
    server.on('tlsClientError', ignore);
    return (raw) => below.run(raw, () => void server.emit('connection', detached(raw, send?.())));
  }

  function startTls(raw: Socket, onPeer: OnPeer, options?: TlsOptions): void {
    overTls(onPeer, options)(raw);
  }

  return {
    get certificates() {
      return certain();
    },
    serve,
    async unusedPort() {
      const port = await serve(createServer());
      const held = connect(port, '127.0.0.1').on('error', ignore);
      sockets.add(held);
      await new Promise((resolve) => held.once('connect', resolve));
      return held.localPort!;
    },
    tcpServer: (onPeer) => serve(createServer((raw) => onPeer(raw, wireOf(raw)))),
    tlsServer: (onPeer, options, send) => serve(createServer(overTls(onPeer, options, send))),
    startTls,
    upgrading: (onPeer) =>
      serve(createServer((raw) => onPeer(raw, (onTls, options) => startTls(raw, onTls, options)))),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([...servers].map((server) => new Promise((resolve) => server.close(resolve))));
      servers.clear();
    },
  };
}

function wireOf(raw: Socket): Wire {
  return { raw, reset: () => reset(raw), cut: () => void raw.end() };
}

/** TLS takes over the handle of a socket that it runs on, and a reset then crashes Node 20: it gets this instead. */
function detached(raw: Socket, send?: Send): Duplex {
  const wire = wireOf(raw);
  const stream = new Duplex({
    read: () => void raw.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (send) send(wire, chunk, done);
      else raw.write(chunk, done);
    },
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
