import { type OverBoth, explicit, good, silent } from './behaviour.ts';
import { CHUNKED, OK, says, saysAndCloses } from './http-answers.ts';
import { endlessly, onceAsked } from './pieces.ts';

const noSize = explicit('protocol', /not a chunk size/);
const tooLong = explicit('protocol', /longer than its size/);
const noCoding = explicit('protocol', /unknown transfer coding/);

/** Bodies whose framing is wrong, or merely strange. */
export const httpBodies: readonly OverBoth[] = [
  {
    name: 'sends chunks with extensions and trailers',
    onPeer: says(`${CHUNKED}2;a="b"\r\nhi\r\n0\r\nX: y\r\n\r\n`),
    settings: { expect: { body: '^hi$' } },
    expected: good(),
  },
  {
    name: 'writes its chunk size with many zeros',
    onPeer: says(`${CHUNKED}${'0'.repeat(23)}2\r\nhi\r\n0\r\n\r\n`),
    expected: good(),
  },
  {
    name: 'has chunks that end with a line feed alone',
    onPeer: says(`${CHUNKED}2\nhi\n0\n\n`),
    expected: good(),
  },
  {
    name: 'has a Content-Length beside chunks',
    onPeer: says(`${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    expected: explicit('protocol', /both Content-Length/),
  },
  {
    name: 'chunks in HTTP/1.0',
    onPeer: says('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    expected: explicit('protocol', /HTTP\/1\.0/),
  },
  {
    name: 'chunks twice',
    onPeer: says(`${OK}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`),
    expected: noCoding,
  },
  {
    name: 'has a transfer coding that nobody asked for',
    onPeer: says(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
    expected: noCoding,
  },
  {
    name: 'has a transfer coding that does not end',
    onPeer: saysAndCloses(`${OK}Transfer-Encoding: identity\r\n\r\nhi`),
    expected: noCoding,
  },
  {
    name: 'hides its transfer coding behind a control character',
    onPeer: says(`${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`),
    expected: noCoding,
  },
  {
    name: 'has a chunk size that is no number',
    onPeer: says(`${CHUNKED}xyz\r\nhi\r\n0\r\n\r\n`),
    expected: noSize,
  },
  { name: 'has an empty chunk size', onPeer: says(`${CHUNKED}\r\nhi\r\n0\r\n\r\n`), expected: noSize },
  { name: 'has a negative chunk size', onPeer: says(`${CHUNKED}-2\r\nhi\r\n0\r\n\r\n`), expected: noSize },
  {
    name: 'has a chunk size with a prefix',
    onPeer: says(`${CHUNKED}0x2\r\nhi\r\n0\r\n\r\n`),
    expected: noSize,
  },
  {
    name: 'has a blank before the chunk size',
    onPeer: says(`${CHUNKED} 2\r\nhi\r\n0\r\n\r\n`),
    expected: noSize,
  },
  {
    name: 'has a chunk size beyond all numbers',
    onPeer: says(`${CHUNKED}ffffffffffffffffff\r\nhi\r\n0\r\n\r\n`),
    expected: noSize,
  },
  { name: 'has a NUL for a chunk size', onPeer: says(`${CHUNKED}\0\r\n\r\n`), expected: noSize },
  {
    name: 'has a chunk that is a single byte longer than its size',
    onPeer: says(`${CHUNKED}2\r\nhiX\n0\r\n\r\n`),
    expected: tooLong,
  },
  {
    name: 'has a chunk that is longer than its size',
    onPeer: says(`${CHUNKED}2\r\nhi there\r\n0\r\n\r\n`),
    expected: tooLong,
  },
  {
    name: 'has a chunk that is shorter than its size',
    onPeer: saysAndCloses(`${CHUNKED}5\r\nhi\r\n0\r\n\r\n`),
    expected: explicit('protocol'),
  },
  { name: 'has no line end behind a chunk', onPeer: says(`${CHUNKED}2\r\nhi0\r\n\r\n`), expected: tooLong },
  {
    name: 'has a chunk extension without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${CHUNKED}2;`);
        endlessly(socket, Buffer.alloc(16_384, 'a'));
      }),
    expected: explicit('protocol', /chunk-size line/),
  },
  {
    name: 'has a trailer that is none',
    onPeer: says(`${CHUNKED}0\r\nno colon\r\n\r\n`),
    expected: explicit('protocol', /not a header field/),
  },
  {
    name: 'has trailers without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${CHUNKED}0\r\n`);
        endlessly(socket, Buffer.from('X: y\r\n'.repeat(1_000)));
      }),
    expected: explicit('protocol', /64KiB/),
  },
  {
    name: 'has a body that a rule does not like',
    onPeer: says(`${OK}Content-Length: 5\r\n\r\nERROR`),
    settings: { expect: { body_not: 'ERR' } },
    expected: explicit('mismatch'),
  },
  {
    name: 'has a hostile body for a hostile pattern',
    onPeer: saysAndCloses(`${OK}\r\n${'a'.repeat(500_000)}`),
    settings: { expect: { body: '^(a+)+$b' } },
    expected: explicit('mismatch'),
  },
  {
    name: 'has a body that is larger than it may be',
    onPeer: says(`${OK}Content-Length: 2000000\r\n\r\n${'a'.repeat(2_000_000)}`),
    settings: { expect: { body: 'x' } },
    expected: explicit('too_large'),
  },
  {
    name: 'announces a body that is larger than it may be, and goes silent',
    onPeer: says(`${OK}Content-Length: 99999999999\r\n\r\n`),
    expected: silent(),
  },
  {
    name: 'calls text gzip',
    onPeer: says(`${OK}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi`),
    expected: good(),
  },
];
