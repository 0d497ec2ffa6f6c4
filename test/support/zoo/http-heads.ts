import { type OverBoth, explicit, good } from './behaviour.ts';
import { HI, OK, says, saysAndCloses } from './http-answers.ts';
import { endlessly, onceAsked } from './pieces.ts';

const notALine = explicit('protocol', /status line/);
const notAField = explicit('protocol', /not a header field/);
const noHttp = explicit('protocol', /does not speak HTTP/);
const noLength = explicit('protocol', /not a Content-Length/);
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** A head with this field, and a body of two bytes behind it. */
function field(line: string): string {
  return `${OK}${line}\r\nContent-Length: 2\r\n\r\nhi`;
}

/** Heads that are wrong, or merely strange. */
export const httpHeads: readonly OverBoth[] = [
  {
    name: 'answers in lines that end with a line feed alone',
    onPeer: says(HI.replaceAll('\r\n', '\n')),
    expected: good(),
  },
  {
    name: 'leaves the reason phrase out',
    onPeer: says('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'),
    expected: good(),
  },
  { name: 'speaks HTTP/1.0', onPeer: saysAndCloses('HTTP/1.0 200 OK\r\n\r\nhi'), expected: good() },
  {
    name: 'has the status 204 and a body',
    onPeer: says('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi'),
    expected: good(),
  },
  {
    name: 'has the status 304 and a length',
    onPeer: says('HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n'),
    expected: explicit('status', /304/),
  },
  { name: 'answers a HEAD with a body', onPeer: says(HI), settings: { method: 'HEAD' }, expected: good() },
  { name: 'sends more than the answer', onPeer: says(`${HI}HTTP/1.1 500 Oops\r\n\r\n`), expected: good() },
  { name: 'folds a header', onPeer: says(field('X: a\r\n b')), expected: good() },
  {
    name: 'is unavailable',
    onPeer: says('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
    expected: explicit('status', /503/),
  },
  {
    name: 'redirects',
    onPeer: says('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
    expected: explicit('status', /302/),
  },
  {
    name: 'redirects to itself for ever',
    onPeer: says('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
    settings: { redirects: 5 },
    expected: explicit('protocol', /redirects/),
  },
  {
    name: 'redirects to what is no URL',
    onPeer: says('HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n'),
    settings: { redirects: 5 },
    expected: explicit('protocol'),
  },
  {
    name: 'redirects to another protocol',
    onPeer: says('HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n\r\n'),
    settings: { redirects: 5 },
    expected: explicit('protocol'),
  },
  {
    name: 'redirects to where nobody listens',
    onPeer: says('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
    settings: { redirects: 5 },
    expected: explicit('refused'),
  },
  { name: 'sends an interim answer first', onPeer: says(`${CONTINUE}${HI}`), expected: good() },
  {
    name: 'sends 103 hints first',
    onPeer: says(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${HI}`),
    expected: good(),
  },
  {
    name: 'floods with interim answers',
    onPeer: (socket) => onceAsked(socket, () => endlessly(socket, Buffer.from(CONTINUE.repeat(100)))),
    expected: explicit('protocol', /interim/),
  },
  {
    name: 'floods with interim answers that are large',
    onPeer: (socket) =>
      onceAsked(socket, () =>
        endlessly(socket, Buffer.from(`HTTP/1.1 103 x\r\nx: ${'y'.repeat(8_000)}\r\n\r\n`)),
      ),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'switches protocols unasked',
    onPeer: says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'),
    expected: explicit('protocol', /switched protocols/),
  },
  {
    name: 'has a header of 256 kB',
    onPeer: says(field(`X: ${'y'.repeat(256_000)}`)),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'has ten thousand headers',
    onPeer: says(field(Array.from({ length: 10_000 }, (_, n) => `X-${n}: y`).join('\r\n'))),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'has a head without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(OK);
        endlessly(socket, Buffer.from('X: y\r\n'.repeat(1_000)));
      }),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'has a status line without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write('HTTP/1.1 200 ');
        endlessly(socket, Buffer.alloc(16_384, 'a'));
      }),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'has a header of blanks without end',
    onPeer: says(field(`X: a${' '.repeat(60_000)}b`)),
    expected: good(),
  },
  { name: 'has a status of four digits', onPeer: says('HTTP/1.1 2000 OK\r\n\r\n'), expected: notALine },
  { name: 'has a status of two digits', onPeer: says('HTTP/1.1 20 OK\r\n\r\n'), expected: notALine },
  { name: 'has the status 000', onPeer: says('HTTP/1.1 000 None\r\n\r\n'), expected: notALine },
  { name: 'has a status that is no number', onPeer: says('HTTP/1.1 abc OK\r\n\r\n'), expected: notALine },
  { name: 'has a negative status', onPeer: says('HTTP/1.1 -200 OK\r\n\r\n'), expected: notALine },
  { name: 'has two blanks before the status', onPeer: says('HTTP/1.1  200 OK\r\n\r\n'), expected: notALine },
  { name: 'speaks HTTP/1.2', onPeer: says('HTTP/1.2 200 OK\r\n\r\n'), expected: notALine },
  { name: 'has a NUL in the status line', onPeer: says('HTTP/1.1 200 O\0K\r\n\r\n'), expected: notALine },
  { name: 'has a bare CR in the status line', onPeer: says('HTTP/1.1 200 O\rK\r\n\r\n'), expected: notALine },
  { name: 'speaks HTTP/2 in words', onPeer: says('HTTP/2 200 OK\r\n\r\n'), expected: noHttp },
  { name: 'speaks HTTP/0.9', onPeer: saysAndCloses('<html>hello</html>'), expected: noHttp },
  { name: 'speaks lower-case http', onPeer: says('http/1.1 200 ok\r\n\r\n'), expected: noHttp },
  { name: 'begins with an empty line', onPeer: says(`\r\n${HI}`), expected: noHttp },
  { name: 'has a header without a colon', onPeer: says(field('no colon')), expected: notAField },
  { name: 'has a header without a name', onPeer: says(field(': x')), expected: notAField },
  { name: 'has a blank before the colon', onPeer: says(field('X : y')), expected: notAField },
  { name: 'has a NUL in a header', onPeer: says(field('X: a\0b')), expected: notAField },
  { name: 'has a NUL in a header name', onPeer: says(field('X\0: b')), expected: notAField },
  { name: 'has a bare CR in a header', onPeer: says(field('X: a\rContent-Length: 5')), expected: notAField },
  { name: 'folds the first header', onPeer: says(field(' X: y')), expected: notAField },
  { name: 'has bytes beyond ASCII in a header', onPeer: says(field('X: \xe9\xff')), expected: good() },
  {
    name: 'sends two Content-Lengths',
    onPeer: says(`${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`),
    expected: explicit('protocol', /different Content-Lengths/),
  },
  {
    name: 'sends two Content-Lengths in one header',
    onPeer: says(`${OK}Content-Length: 2, 3\r\n\r\nhi!`),
    expected: explicit('protocol', /different Content-Lengths/),
  },
  {
    name: 'sends the same Content-Length twice',
    onPeer: says(`${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`),
    expected: good(),
  },
  {
    name: 'has a negative Content-Length',
    onPeer: says(`${OK}Content-Length: -1\r\n\r\n`),
    expected: noLength,
  },
  {
    name: 'has a Content-Length with a plus',
    onPeer: says(`${OK}Content-Length: +2\r\n\r\nhi`),
    expected: noLength,
  },
  {
    name: 'has a hexadecimal Content-Length',
    onPeer: says(`${OK}Content-Length: 0x2\r\n\r\nhi`),
    expected: noLength,
  },
  { name: 'has an empty Content-Length', onPeer: says(`${OK}Content-Length:\r\n\r\nhi`), expected: noLength },
  {
    name: 'has a Content-Length beyond all numbers',
    onPeer: says(`${OK}Content-Length: ${'9'.repeat(40)}\r\n\r\nhi`),
    expected: noLength,
  },
  {
    name: 'has a Content-Length of words',
    onPeer: says(`${OK}Content-Length: two\r\n\r\nhi`),
    expected: noLength,
  },
];
