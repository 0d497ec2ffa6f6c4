import type { TlsOptions } from 'node:tls';
import { type OnPeer, explicit, good, silent } from './behaviour.ts';
import type { Certificates } from './certificates.ts';
import { endlessly, inPieces, trickle } from './pieces.ts';
import { EXPECT, type TlsRow, says } from './tls-row.ts';
import { APPLICATION_DATA, alert, appends, record } from './tls-wire.ts';

/** What goes wrong once the handshake is done, for each version. */
export const tlsAfterwards: readonly TlsRow[] = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) => {
  const options = ({ good }: Certificates): TlsOptions => ({
    ...good,
    minVersion: version,
    maxVersion: version,
  });
  const onWire =
    (bytes: Buffer): OnPeer =>
    (socket, { raw }) =>
      void (socket.resume(), raw.write(bytes));
  const cuts: OnPeer = (socket, { cut }) => void socket.resume().write('half', () => setImmediate(cut));
  const also: readonly TlsRow[] = [
    { name: 'is silent where an answer is expected', settings: EXPECT, expected: silent(/no answer/) },
    { name: 'answers', onPeer: says('PONG'), settings: EXPECT, expected: good() },
    {
      name: 'answers byte by byte',
      onPeer: (socket) => inPieces(socket.resume(), Buffer.from('+PONG'), 1),
      settings: EXPECT,
      expected: good(),
    },
    {
      name: 'answers and closes',
      onPeer: (socket) => void socket.end('PONG'),
      settings: EXPECT,
      expected: good(),
    },
    {
      name: 'answers and cuts',
      onPeer: (socket, { cut }) => void socket.resume().write('PONG', () => setImmediate(cut)),
      settings: EXPECT,
      expected: good(),
    },
    {
      name: 'answers and resets',
      onPeer: (socket, { reset }) => void socket.resume().write('PONG', () => setImmediate(reset)),
      settings: EXPECT,
      expected: good(),
    },
    {
      name: 'closes right after the handshake',
      onPeer: (socket) => void socket.resume().end(),
      expected: explicit('closed'),
    },
    {
      name: 'cuts right after the handshake',
      onPeer: (socket, { cut }) => (socket.resume(), cut()),
      expected: explicit('closed'),
    },
    {
      name: 'resets right after the handshake',
      onPeer: (socket, { reset }) => (socket.resume(), reset()),
      expected: explicit('reset'),
    },
    {
      name: 'closes where an answer is expected',
      onPeer: (socket) => void socket.resume().end(),
      settings: EXPECT,
      expected: explicit('closed', /closed/),
    },
    {
      name: 'half an answer, and then the end',
      onPeer: (socket) => void socket.resume().end('half'),
      settings: EXPECT,
      expected: explicit('closed', /closed the connection before/),
    },
    {
      name: 'half an answer, and then a cut',
      onPeer: cuts,
      settings: EXPECT,
      expected: explicit('closed', /cut TLS off before/),
    },
    {
      name: 'half an answer, and then a reset',
      onPeer: (socket, { reset }) => void socket.resume().write('half', () => setImmediate(reset)),
      settings: EXPECT,
      expected: explicit('reset'),
    },
    {
      name: 'cuts where nothing may be wrong',
      onPeer: cuts,
      settings: { expect_not: 'ERR' },
      expected: explicit('closed', /cut TLS off/),
    },
    {
      name: 'sends a broken record right after the handshake',
      onPeer: onWire(record(APPLICATION_DATA, Buffer.alloc(64, 7))),
      expected: explicit('tls'),
    },
    {
      name: 'sends a broken record along with the end of the handshake',
      send: appends(record(APPLICATION_DATA, Buffer.alloc(64, 7)), version === 'TLSv1.3' ? 1 : 2),
      expected: explicit('tls'),
    },
    {
      name: 'sends a broken record along with the end of the handshake, and an answer is expected',
      send: appends(record(APPLICATION_DATA, Buffer.alloc(64, 7)), version === 'TLSv1.3' ? 1 : 2),
      settings: EXPECT,
      expected: explicit('tls'),
    },
    {
      name: 'sends a plain alert right after the handshake',
      onPeer: onWire(alert(80)),
      expected: explicit('tls'),
    },
    {
      name: 'goes on in plain after the handshake',
      onPeer: onWire(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
      expected: explicit('tls'),
    },
    {
      name: 'breaks a record where an answer is expected',
      onPeer: onWire(record(APPLICATION_DATA, Buffer.alloc(64, 7))),
      settings: EXPECT,
      expected: explicit('tls'),
    },
    {
      name: 'half an answer, and then a broken record',
      onPeer: (socket, { raw }) =>
        void socket.resume().write('half', () => raw.write(record(APPLICATION_DATA, Buffer.alloc(64, 7)))),
      settings: EXPECT,
      expected: explicit('tls'),
    },
    {
      name: 'trickles',
      onPeer: (socket) => trickle(socket, Buffer.from('ab')),
      settings: EXPECT,
      expected: silent(/not complete/),
    },
    {
      name: 'floods',
      onPeer: (socket) => endlessly(socket.resume(), Buffer.alloc(16_384, 'a')),
      settings: EXPECT,
      expected: explicit('too_large'),
    },
    {
      name: 'never reads',
      onPeer: (_socket, { raw }) => void raw.pause(),
      settings: { send: 'x'.repeat(32_000_000) },
      expected: silent(),
    },
  ];
  return also.map((row) => ({ options, ...row, name: `${row.name} (${version})` }));
});
