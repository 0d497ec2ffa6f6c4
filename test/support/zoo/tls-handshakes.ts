import { explicit, good, silent } from './behaviour.ts';
import { endlessly, trickle } from './pieces.ts';
import { type TlsRow, quiet, says } from './tls-row.ts';
import {
  APPLICATION_DATA,
  HANDSHAKE,
  alert,
  answersHello,
  byteByByte,
  letsThrough,
  record,
  spoils,
} from './tls-wire.ts';

const noTls = explicit('tls', /does not speak TLS/);

/** Handshakes that come to nothing. */
export const tlsHandshakes: readonly TlsRow[] = [
  { name: 'accepts, then no handshake', onWire: quiet, expected: silent(/no TLS handshake/) },
  {
    name: 'closes once accepted',
    onWire: (socket) => void socket.resume().end(),
    expected: explicit('closed', /handshake/),
  },
  { name: 'resets once accepted', onWire: (_socket, { reset }) => reset(), expected: explicit('reset') },
  {
    name: 'closes in the handshake',
    onWire: (socket) => void socket.once('data', () => socket.end()),
    expected: explicit('closed', /handshake/),
  },
  {
    name: 'resets in the handshake',
    onWire: (socket, { reset }) => void socket.once('data', reset),
    expected: explicit('reset'),
  },
  {
    name: 'closes inside its first flight',
    send: letsThrough(200, ({ cut }) => cut()),
    expected: explicit('closed', /handshake/),
  },
  {
    name: 'resets inside its first flight',
    send: letsThrough(200, ({ reset }) => reset()),
    expected: explicit('reset'),
  },
  {
    name: 'falls silent inside its first flight',
    send: letsThrough(200, () => {}),
    expected: silent(/no TLS handshake/),
  },
  {
    name: 'closes after one byte of the handshake',
    send: letsThrough(1, ({ cut }) => cut()),
    expected: explicit('closed', /handshake/),
  },
  { name: 'sends its handshake byte by byte', send: byteByByte, expected: good() },
  {
    name: 'trickles a handshake that has no end',
    onWire: (socket) => trickle(socket, record(HANDSHAKE, Buffer.alloc(16_000, 2))),
    expected: silent(/no TLS handshake/),
  },
  { name: 'spoils its first record', send: spoils(20), expected: explicit('tls') },
  { name: 'spoils its certificate', send: spoils(600), expected: explicit('tls') },
  ...Object.entries({
    'unexpected message': 10,
    'handshake failure': 40,
    'bad certificate': 42,
    'access denied': 49,
    'protocol version': 70,
    'internal error': 80,
    'unrecognized name': 112,
    'certificate required': 116,
    'no application protocol': 120,
  }).map(([name, code]): TlsRow => ({
    name: `answers with the alert "${name}"`,
    onWire: answersHello(alert(code)),
    expected: explicit('tls'),
  })),
  {
    name: 'answers with an alert of nobody, and closes',
    onWire: answersHello(alert(255), (socket) => socket.end()),
    expected: explicit('closed'),
  },
  {
    name: 'warns, and then falls silent',
    onWire: answersHello(alert(112, 'warning')),
    expected: silent(/no TLS handshake/),
  },
  {
    name: 'answers with a close_notify',
    onWire: answersHello(alert(0, 'warning'), (socket) => socket.end()),
    expected: explicit('closed'),
  },
  {
    name: 'answers with half an alert',
    onWire: answersHello(alert(40).subarray(0, 5), (socket) => socket.end()),
    expected: explicit('closed'),
  },
  { name: 'echoes the ClientHello', onWire: (socket) => void socket.pipe(socket), expected: explicit('tls') },
  {
    name: 'answers with an empty record, and falls silent',
    onWire: answersHello(record(HANDSHAKE, '')),
    expected: silent(/no TLS handshake/),
  },
  {
    name: 'answers with application data',
    onWire: answersHello(record(APPLICATION_DATA, 'hello')),
    expected: explicit('tls'),
  },
  {
    name: 'answers with a record that is too long',
    onWire: answersHello(Buffer.from('160303ffff', 'hex')),
    expected: explicit('tls'),
  },
  {
    name: 'answers with a record of SSL 2',
    onWire: answersHello(Buffer.from('8016040001000200000010', 'hex')),
    expected: explicit('tls'),
  },
  { name: 'answers with noise', onWire: answersHello(Buffer.alloc(1_000, 0x99)), expected: explicit('tls') },
  {
    name: 'floods with NULs',
    onWire: (socket) => endlessly(socket.resume(), Buffer.alloc(65_536)),
    expected: explicit('tls'),
  },
  {
    name: 'floods with empty records',
    onWire: (socket) =>
      endlessly(socket.resume(), Buffer.concat(Array.from({ length: 1_000 }, () => record(HANDSHAKE, '')))),
    expected: explicit('tls'),
  },
  {
    name: 'floods with warnings',
    onWire: (socket) =>
      endlessly(socket.resume(), Buffer.concat(Array.from({ length: 1_000 }, () => alert(112, 'warning')))),
    expected: explicit('tls'),
  },
  {
    name: 'answers in HTTP',
    onWire: answersHello('HTTP/1.1 400 Bad Request\r\n\r\n', (socket) => socket.end()),
    expected: noTls,
  },
  { name: 'greets like SSH', onWire: says('SSH-2.0-OpenSSH_9.2\r\n'), expected: noTls },
  { name: 'greets like SMTP', onWire: says('220 mail ESMTP\r\n'), expected: noTls },
  { name: 'refuses TLS like PostgreSQL', onWire: answersHello('N'), expected: silent(/no TLS handshake/) },
];
