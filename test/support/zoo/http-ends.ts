import { type OverBoth, explicit, good, silent } from './behaviour.ts';
import { CHUNKED, HI, OK, greets, says, saysAndCloses, saysAndResets } from './http-answers.ts';
import { endlessly, inPieces, onceAsked, trickle } from './pieces.ts';

const ANY = { expect: { body: 'x' } };
const POST = { method: 'POST', body: 'x'.repeat(32_000_000) };

/** Servers that end too early, too late or never. */
export const httpEnds: readonly OverBoth[] = [
  { name: 'answers', onPeer: says(HI), expected: good() },
  { name: 'answers and closes', onPeer: saysAndCloses(HI), expected: good() },
  { name: 'answers and resets', onPeer: saysAndResets(HI), expected: good() },
  { name: 'closes once accepted', onPeer: (socket) => void socket.end(), expected: explicit('closed') },
  { name: 'resets once accepted', onPeer: (_socket, wire) => wire.reset(), expected: explicit('reset') },
  { name: 'closes once asked', onPeer: saysAndCloses(''), expected: explicit('closed', /without an answer/) },
  { name: 'resets once asked', onPeer: saysAndResets(''), expected: explicit('reset') },
  {
    name: 'closes inside the status line',
    onPeer: saysAndCloses('HTTP/1.1 2'),
    expected: explicit('closed', /inside the head/),
  },
  { name: 'resets inside the status line', onPeer: saysAndResets('HTTP/1.1 2'), expected: explicit('reset') },
  {
    name: 'closes inside the head',
    onPeer: saysAndCloses(`${OK}Content-`),
    expected: explicit('closed', /inside the head/),
  },
  {
    name: 'closes before the last line of the head',
    onPeer: saysAndCloses(`${OK}Content-Length: 0\r\n`),
    expected: explicit('closed', /inside the head/),
  },
  {
    name: 'closes inside a sized body',
    onPeer: saysAndCloses(`${OK}Content-Length: 10\r\n\r\nhalf`),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'closes one byte before the end',
    onPeer: saysAndCloses(`${OK}Content-Length: 10\r\n\r\nnine_byte`),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'resets inside a sized body',
    onPeer: saysAndResets(`${OK}Content-Length: 10\r\n\r\nhalf`),
    expected: explicit('reset'),
  },
  {
    name: 'closes inside a chunk',
    onPeer: saysAndCloses(`${CHUNKED}5\r\nha`),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'closes between chunks',
    onPeer: saysAndCloses(`${CHUNKED}2\r\nhi\r\n`),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'closes without the last chunk',
    onPeer: saysAndCloses(CHUNKED),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'closes inside the trailers',
    onPeer: saysAndCloses(`${CHUNKED}0\r\nX: 1\r\n`),
    expected: explicit('closed', /inside the body/),
  },
  {
    name: 'resets between chunks',
    onPeer: saysAndResets(`${CHUNKED}2\r\nhi\r\n`),
    expected: explicit('reset'),
  },
  { name: 'ends a body without a length by closing', onPeer: saysAndCloses(`${OK}\r\nhi`), expected: good() },
  {
    name: 'ends a body without a length by a reset',
    onPeer: saysAndResets(`${OK}\r\nhi`),
    expected: explicit('reset'),
  },
  {
    name: 'closes its side at once, and answers none',
    onPeer: (socket) => void socket.resume().end(),
    expected: explicit('closed'),
  },
  {
    name: 'cuts a body without a length off',
    onPeer: (socket, wire) =>
      onceAsked(socket, () => socket.write(`${OK}\r\nhi`, () => setImmediate(wire.cut))),
    expected: good(),
    overTls: explicit('closed'),
  },
  {
    name: 'cuts the connection off behind a sized body',
    onPeer: (socket, wire) => onceAsked(socket, () => socket.write(HI, () => setImmediate(wire.cut))),
    expected: good(),
  },
  {
    name: 'accepts, then says nothing',
    onPeer: (socket) => void socket.resume(),
    expected: silent(/no answer/),
  },
  {
    name: 'accepts, and never reads',
    onPeer: (socket) => void socket.pause(),
    settings: POST,
    expected: silent(),
  },
  {
    name: 'reads a little of a large request, and no more',
    onPeer: (socket) => void socket.once('data', () => socket.pause()),
    settings: POST,
    expected: silent(),
  },
  { name: 'goes silent inside the head', onPeer: says(`${OK}X: y`), expected: silent(/not complete/) },
  {
    name: 'goes silent inside the body',
    onPeer: says(`${OK}Content-Length: 10\r\n\r\nhalf`),
    expected: silent(/not complete/),
  },
  {
    name: 'goes silent before the last chunk',
    onPeer: says(`${CHUNKED}2\r\nhi\r\n`),
    expected: silent(/not complete/),
  },
  {
    name: 'goes silent after an interim answer',
    onPeer: says('HTTP/1.1 100 Continue\r\n\r\n'),
    expected: silent(/not complete/),
  },
  {
    name: 'has a body without a length, and never closes',
    onPeer: says(`${OK}\r\nhi`),
    expected: silent(/not complete/),
  },
  {
    name: 'trickles a header that has no end',
    onPeer: (socket) => trickle(socket, Buffer.from(`${OK}x: y`)),
    expected: silent(/not complete/),
  },
  {
    name: 'trickles a body',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${OK}Content-Length: 100000\r\n\r\n`);
        trickle(socket, Buffer.from('a'));
      }),
    expected: silent(/not complete/),
  },
  {
    name: 'trickles chunks',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(CHUNKED);
        trickle(socket, Buffer.from('1\r\na\r\n'));
      }),
    expected: silent(/not complete/),
  },
  {
    name: 'splits its answer at every byte',
    onPeer: (socket) => onceAsked(socket, () => inPieces(socket, Buffer.from(HI), 1)),
    expected: good(),
  },
  {
    name: 'splits chunks at every byte',
    onPeer: (socket) =>
      onceAsked(socket, () => inPieces(socket, Buffer.from(`${CHUNKED}2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n`), 1)),
    settings: { expect: { body: '^hi$' } },
    expected: good(),
  },
  {
    name: 'splits a truncated answer at every byte',
    onPeer: (socket) =>
      onceAsked(socket, () => inPieces(socket, Buffer.from(HI.slice(0, -1)), 1, () => void socket.end())),
    expected: explicit('closed', /inside the body/),
  },
  { name: 'answers before it is asked', onPeer: greets(HI), expected: good() },
  {
    name: 'answers a large request before it has read it',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      }),
    settings: POST,
    expected: explicit('status', /413/),
  },
  {
    name: 'answers a large request early, and closes',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.pause();
        socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      }),
    settings: POST,
    expected: explicit('status', /413/),
  },
  {
    name: 'sends a body without end, which no rule looks at',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${OK}\r\n`);
        endlessly(socket, Buffer.alloc(16_384, 'a'));
      }),
    expected: good('answer', /status 200/),
  },
  {
    name: 'sends a body without end, which a rule looks at',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${OK}\r\n`);
        endlessly(socket, Buffer.alloc(16_384, 'a'));
      }),
    settings: ANY,
    expected: explicit('too_large'),
  },
  {
    name: 'sends chunks without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(CHUNKED);
        endlessly(socket, Buffer.from(`1000\r\n${'a'.repeat(4_096)}\r\n`));
      }),
    settings: ANY,
    expected: explicit('too_large'),
  },
  {
    name: 'sends chunks of one byte without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(CHUNKED);
        endlessly(socket, Buffer.from('1\r\na\r\n'.repeat(1_000)));
      }),
    settings: { max_body: '64MiB' },
    expected: explicit('protocol', /more framing than body/),
  },
];
