import { type Behaviour, type OnPeer, explicit, good, silent } from './behaviour.ts';
import { type TcpRow, tcpDialogues } from './tcp-dialogues.ts';
import { endlessly, inPieces, trickle } from './pieces.ts';

const EXPECT = { expect: 'PONG' };
const LARGE = { send: 'x'.repeat(32_000_000) };
/** Says this and then acts. */
function says(text: string | Buffer, then: (...peer: Parameters<OnPeer>) => void = () => {}): OnPeer {
  return (socket, wire) => {
    socket.resume().write(text, () => setImmediate(() => then(socket, wire)));
  };
}

const rows: readonly TcpRow[] = [
  ['accepts, then says nothing', (socket) => void socket.resume(), {}, good('answer', /^connected$/)],
  ['closes once accepted, and no rule minds', (socket) => void socket.end(), {}, good()],
  ['is silent where an answer is expected', (socket) => void socket.resume(), EXPECT, silent(/no answer/)],
  [
    'is silent where an answer is not to be wrong',
    (socket) => void socket.resume(),
    { expect_not: 'ERR' },
    silent(),
  ],
  ['closes without a word', (socket) => void socket.end(), EXPECT, explicit('closed', /without a word/)],
  [
    'closes without a word where an answer is not to be wrong',
    (socket) => void socket.end(),
    { expect_not: 'ERR' },
    explicit('closed'),
  ],
  ['resets once accepted', (_socket, wire) => wire.reset(), EXPECT, explicit('reset')],
  [
    'resets once it has heard us',
    (socket, wire) => void socket.once('data', () => wire.reset()),
    { send: 'PING', ...EXPECT },
    explicit('reset'),
  ],
  ['answers', says('+PONG\r\n'), EXPECT, good()],
  ['answers and closes', (socket) => void socket.end('+PONG\r\n'), EXPECT, good()],
  [
    'answers and resets',
    (socket, { reset }) => void socket.once('data', () => socket.write('+PONG', () => setImmediate(reset))),
    { send: 'PING', ...EXPECT },
    good(),
  ],
  ['answers twice', says('+PONG\r\n+PONG\r\n'), EXPECT, good()],
  [
    'half an answer, and then the end',
    (socket) => void socket.end('+PO'),
    EXPECT,
    explicit('closed', /it had said "\+PO"/),
  ],
  [
    'half an answer, and then a reset',
    says('+PO', (_socket, { reset }) => reset()),
    EXPECT,
    explicit('reset'),
  ],
  ['half an answer, and then silence', says('+PO'), EXPECT, silent(/not complete/)],
  [
    'closes its side, and would still listen',
    (socket) => void socket.resume().end('+PONG'),
    { ...EXPECT, send: 'PING' },
    good(),
  ],
  [
    'splits its banner over packets',
    (socket) => inPieces(socket.resume(), Buffer.from('220 mail.internal ESMTP\r\n'), 1),
    { expect: '^220 .*ESMTP' },
    good(),
  ],
  [
    'splits a character over packets',
    (socket) => inPieces(socket.resume(), Buffer.from('gr\u00fcn \u20ac'), 1),
    { expect: 'gr\u00fcn \u20ac' },
    good(),
  ],
  [
    'splits what must not come over packets',
    (socket) => inPieces(socket.resume(), Buffer.from('-ERR'), 1),
    { expect_not: 'ERR' },
    explicit('mismatch'),
  ],
  [
    'says something else',
    says('-ERR\r\n'),
    { expect: 'OK', expect_not: 'ERR' },
    explicit('mismatch', /matches \/ERR\//),
  ],
  ['says something else, and nobody forbade it', says('-LOADING\r\n'), EXPECT, silent()],
  ['says what is not wrong, and goes on', says('fine'), { expect_not: 'ERR' }, good()],
  [
    'takes what is expected back in the same line',
    says('220 ERR\r\n'),
    { expect: '^220', expect_not: 'ERR' },
    explicit('mismatch'),
  ],
  ['trickles without an end', (socket) => trickle(socket, Buffer.from('ab')), EXPECT, silent(/not complete/)],
  [
    'trickles what may not be wrong',
    (socket) => trickle(socket, Buffer.from('ab')),
    { expect_not: 'ERR' },
    silent(),
  ],
  [
    'floods',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 'a')),
    EXPECT,
    explicit('too_large'),
  ],
  [
    'floods with NULs',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536)),
    EXPECT,
    explicit('too_large'),
  ],
  [
    'floods with line ends',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, '\r\n')),
    EXPECT,
    explicit('too_large'),
  ],
  [
    'floods with invalid UTF-8',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 0xc3)),
    { expect: '\u20ac' },
    explicit('too_large'),
  ],
  [
    'floods a hostile pattern',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 'x')),
    { expect: '(x+x+)+y' },
    explicit('too_large'),
  ],
  [
    'floods where nothing may be wrong',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 'a')),
    { expect_not: 'ERR' },
    explicit('too_large'),
  ],
  [
    'floods, and nobody listens',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 'a')),
    {},
    good(),
  ],
  [
    'floods, and somebody only sends',
    (socket) => endlessly(socket.resume(), Buffer.alloc(65_536, 'a')),
    { send: 'x' },
    good(),
  ],
  ['hides the answer in 60 kB', says(`${'a'.repeat(60_000)}PONG`), EXPECT, good()],
  [
    'answers beyond what is kept',
    says(`${'a'.repeat(70_000)}PONG`, (socket) => socket.end()),
    EXPECT,
    explicit('too_large'),
  ],
  ['answers in bytes', says(Buffer.from('00ff8041', 'hex')), { expect_hex: 'ff80' }, good()],
  [
    'answers in bytes one by one',
    (socket) => inPieces(socket.resume(), Buffer.from('00ff8041', 'hex'), 1),
    { expect: String.raw`^\x00\xff\x80A$` },
    good(),
  ],
  [
    'answers in other bytes',
    says(Buffer.from('00ff8042', 'hex'), (socket) => socket.end()),
    { expect_hex: '00ff8041' },
    explicit('closed'),
  ],
  [
    'negotiates like telnet',
    says(Buffer.from('fffd18fffd20fffd23fffd27', 'hex')),
    { expect_hex: 'fffd', expect_not: 'login' },
    good(),
  ],
  [
    'echoes what it hears',
    (socket) => void socket.pipe(socket),
    { send_hex: '00 0d 0a ff', expect_hex: '000d0aff' },
    good(),
  ],
  ['never reads a large request', (socket) => void socket.pause(), LARGE, silent()],
  [
    'never reads a large request, but answers',
    says('PONG', (socket) => socket.pause()),
    { ...LARGE, ...EXPECT },
    good(),
  ],
  [
    'closes on a large request',
    (socket) => void socket.once('data', () => socket.destroy()),
    { ...LARGE, ...EXPECT },
    explicit('reset'),
  ],
  [
    'resets on a large request',
    (socket, wire) => void socket.once('data', () => wire.reset()),
    { ...LARGE, ...EXPECT },
    explicit('reset'),
  ],
];

export const tcpRows: readonly Behaviour[] = [
  ...[...rows, ...tcpDialogues].map(([name, onPeer, settings, expected]): Behaviour => ({
    name,
    transport: 'tcp',
    serve: ({ tcpServer }) => tcpServer(onPeer),
    settings: (port) => ({ address: `127.0.0.1:${port}`, ...settings }),
    expected,
  })),
  {
    name: 'is not there',
    transport: 'tcp',
    // Nobody listens on the port of a connection that goes out.
    serve: ({ unusedPort }) => unusedPort(),
    settings: (port) => `127.0.0.1:${port}`,
    expected: explicit('refused'),
  },
];
