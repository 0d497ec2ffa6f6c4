import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { afterEach } from 'vitest';

const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

/** What answers a datagram: it may be sent as often as it likes. */
export type Reply = (bytes: Buffer) => void;

/** A UDP server that does with each datagram what it is told; it ends with the test. Resolves to the port. */
export async function udpServer(
  onDatagram: (datagram: Buffer, reply: Reply, from: RemoteInfo) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  open.push(socket);
  socket.on('error', () => {});
  socket.on('message', (datagram, from) =>
    onDatagram(datagram, (bytes) => socket.send(bytes, from.port, from.address), from),
  );
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  return socket.address().port;
}

/** A UDP port of loopback that nobody has. */
export async function closedUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
