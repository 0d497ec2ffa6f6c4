import { type Behaviour, type Expected, type OnPeer, explicit, good, silent } from './behaviour.ts';
import { inPieces } from './pieces.ts';

/** Name, what the server does, settings beside the address, what is to come of it. */
type Row = readonly [name: string, onPeer: OnPeer, settings: object, expected: Expected];

const rows: readonly Row[] = [
  ['accepts, then says nothing', (socket) => socket.resume(), {}, good()],
  ['is silent where an answer is expected', (socket) => socket.resume(), { expect: 'x' }, silent()],
  ['closes without a word', (socket) => socket.end(), { expect: 'x' }, explicit('closed')],
  ['resets once accepted', (_socket, wire) => wire.reset(), { expect: 'x' }, explicit('reset')],
  [
    'splits its banner over packets',
    (socket) => inPieces(socket, Buffer.from('220 mail.internal ESMTP\r\n'), 1),
    { expect: '^220 .*ESMTP' },
    good(),
  ],
  [
    'says something else',
    (socket) => socket.write('-ERR\r\n'),
    { expect: 'OK', expect_not: 'ERR' },
    explicit('mismatch'),
  ],
];

export const tcpRows: readonly Behaviour[] = rows.map(([name, onPeer, settings, expected]) => ({
  name,
  transport: 'tcp',
  serve: ({ tcpServer }) => tcpServer(onPeer),
  settings: (port) => ({ address: `127.0.0.1:${port}`, ...settings }),
  expected,
}));
