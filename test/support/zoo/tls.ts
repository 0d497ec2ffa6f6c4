import type { TlsOptions } from 'node:tls';
import {
  type Behaviour,
  type Expected,
  type OnPeer,
  type ZooContext,
  explicit,
  good,
  silent,
} from './behaviour.ts';
import type { Certificates } from './certificates.ts';

interface Row {
  readonly name: string;
  /** Once TLS is up. */
  readonly onPeer?: OnPeer;
  readonly options?: (certificates: Certificates) => TlsOptions;
  /** In place of TLS: what happens on the bare connection. */
  readonly onWire?: OnPeer;
  readonly settings?: object;
  /** Beside `ca`. */
  readonly tls?: (certificates: Certificates) => object;
  readonly expected: Expected;
}

const quiet: OnPeer = (socket) => void socket.resume();

const rows: readonly Row[] = [
  { name: 'is fine', expected: good() },
  { name: 'has expired', options: ({ expired }) => expired, expected: explicit('tls', /has expired/) },
  {
    name: 'is not yet valid',
    options: ({ notYetValid }) => notYetValid,
    expected: explicit('tls', /not yet valid/),
  },
  {
    name: 'is for another name',
    options: ({ wrongName }) => wrongName,
    expected: explicit('tls', /127\.0\.0\.1 is not in/),
  },
  {
    name: 'is self-signed',
    options: ({ selfSigned }) => selfSigned,
    expected: explicit('tls', /self.signed/),
  },
  {
    name: 'is of an unknown authority',
    options: ({ unknownCa }) => unknownCa,
    expected: explicit('tls', /unable to/),
  },
  { name: 'accepts, then no handshake', onWire: quiet, expected: silent(/no TLS handshake/) },
  {
    name: 'closes in the handshake',
    onWire: (socket) => void socket.once('data', () => socket.end()),
    expected: explicit('closed'),
  },
  {
    name: 'resets in the handshake',
    onWire: (socket, { reset }) => void socket.once('data', reset),
    expected: explicit('reset'),
  },
];

export const tlsRows: readonly Behaviour[] = rows.map(
  ({ name, onPeer = quiet, options, onWire, settings, tls, expected }) => ({
    name,
    transport: 'tls',
    serve: ({ tcpServer, tlsServer, certificates }: ZooContext) =>
      onWire ? tcpServer(onWire) : tlsServer(onPeer, options?.(certificates)),
    settings: (port: number, { certificates }: ZooContext) => ({
      address: `127.0.0.1:${port}`,
      tls: { ca: certificates.ca.certFile, ...tls?.(certificates) },
      ...settings,
    }),
    expected,
  }),
);
