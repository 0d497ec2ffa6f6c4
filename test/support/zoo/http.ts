import { type OverBoth, explicit, good, overHttp, silent } from './behaviour.ts';
import { endlessly, inPieces, onceAsked, trickle } from './pieces.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

/** The server's answer, byte for byte; then it waits for us to go. */
function says(answer: string | Buffer): OverBoth['onPeer'] {
  return (socket) => onceAsked(socket, () => socket.write(answer, 'latin1'));
}
/** The same, and an orderly end. */
function saysAndCloses(answer: string | Buffer): OverBoth['onPeer'] {
  return (socket) => onceAsked(socket, () => socket.end(answer, 'latin1'));
}

const floods: OverBoth['onPeer'] = (socket) =>
  onceAsked(socket, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    endlessly(socket, Buffer.alloc(16_384, 'a'));
  });

const rows: readonly OverBoth[] = [
  { name: 'answers', onPeer: says(OK), expected: good() },
  { name: 'accepts, then says nothing', onPeer: (socket) => void socket.resume(), expected: silent() },
  {
    name: 'trickles a header that has no end',
    onPeer: (socket) => trickle(socket, Buffer.from('HTTP/1.1 200 OK\r\nx: y')),
    expected: silent(),
  },
  {
    name: 'splits its answer at every byte',
    onPeer: (socket) => onceAsked(socket, () => inPieces(socket, Buffer.from(OK), 1)),
    expected: good(),
  },
  {
    name: 'closes inside the head',
    onPeer: saysAndCloses('HTTP/1.1 200 OK\r\nContent-'),
    expected: explicit('closed'),
  },
  {
    name: 'closes inside the body',
    onPeer: saysAndCloses('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    expected: explicit('closed'),
  },
  {
    name: 'sends two Content-Lengths',
    onPeer: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'),
    expected: explicit('protocol'),
  },
  {
    name: 'sends a body without end, which no rule looks at',
    onPeer: floods,
    expected: good('answer', /status 200/),
  },
  {
    name: 'sends a body without end, which a rule looks at',
    onPeer: floods,
    settings: { expect: { body: 'x' } },
    expected: explicit('too_large'),
  },
];

export const httpRows = overHttp(rows);
