import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterEach } from 'vitest';

const open: { server: Server; sockets: Set<Socket> }[] = [];

afterEach(async () => {
  await Promise.all(
    open.splice(0).map(async ({ server, sockets }) => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }),
  );
});

/** A server of any kind on loopback, on a free port unless told which; it ends with the test. Resolves to the port. */
export async function serve(server: Server, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  open.push({ server, sockets });
  return (server.address() as AddressInfo).port;
}

/** A TCP server that does with each connection what it is told. */
export function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  return serve(createServer(onConnection));
}

/** Answers the first bytes that come with exactly these, then closes unless told otherwise. */
export function answering(answer: string | Buffer, { close = true } = {}): Promise<number> {
  return tcpServer((socket) => {
    socket.once('data', () => {
      socket.write(answer);
      if (close) socket.end();
    });
  });
}

/** A port of loopback on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
