import type { TLSSocket } from 'node:tls';
import { type Behaviour, type ZooContext, good } from './behaviour.ts';
import { tlsAfterwards } from './tls-afterwards.ts';
import { tlsHandshakes } from './tls-handshakes.ts';
import { EXPECT, type TlsRow, quiet } from './tls-row.ts';
import { tlsClients, tlsShown } from './tls-shown.ts';

const rows: readonly TlsRow[] = [
  ...tlsShown,
  ...tlsClients,
  ...tlsHandshakes,
  ...tlsAfterwards,
  {
    name: 'asks to renegotiate',
    options: ({ good }) => ({ ...good, maxVersion: 'TLSv1.2' }),
    onPeer: (socket) => {
      socket.resume();
      (socket as TLSSocket).renegotiate({}, () => socket.write('PONG'));
    },
    settings: EXPECT,
    expected: good(),
  },
];

export const tlsRows: readonly Behaviour[] = rows.map(
  ({ name, onPeer = quiet, options, send, onWire, settings, tls, expected }) => ({
    name,
    transport: 'tls',
    serve: ({ tcpServer, tlsServer, certificates }: ZooContext) =>
      onWire ? tcpServer(onWire) : tlsServer(onPeer, options?.(certificates), send),
    settings: (port: number, { certificates }: ZooContext) => ({
      address: `127.0.0.1:${port}`,
      tls: { ca: certificates.ca.certFile, ...tls?.(certificates) },
      ...settings,
    }),
    expected,
  }),
);
