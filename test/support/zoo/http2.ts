import {
  END_HEADERS,
  HELLO,
  PADDED,
  data,
  fieldBlock,
  goaway,
  h2Frame,
  headers,
  onRequest,
  repeated,
  rstStream,
} from '../h2.ts';
import { type Behaviour, type OverBoth, explicit, good, overHttp2 } from './behaviour.ts';
import { H2_ENDS } from './h2-ends.ts';
import { ILLEGAL_FRAMES } from './h2-frames.ts';
import { ILLEGAL_HEADS } from './h2-heads.ts';
import { ends, resets, says } from './h2-says.ts';
import { READY, redirecting, refusing, reluctant } from './http2-servers.ts';
import { endlessly, inPieces } from './pieces.ts';

const OK = { ':status': '200', 'content-type': 'text/plain' };
const HEAD = headers(OK);
const WANTS_BODY = { expect: { body: 'ready' } };
const SMALL = { max_body: '10KiB', ...WANTS_BODY };
const KIB_9 = data(Buffer.alloc(9_216, 'x'));

const ANSWERS: readonly OverBoth[] = [
  {
    name: 'a whole answer',
    onPeer: says(...READY),
    settings: WANTS_BODY,
    expected: good('answer', /status 200/),
  },
  {
    name: 'a whole answer, and then closes',
    onPeer: says(...READY, ends),
    settings: WANTS_BODY,
    expected: good(),
  },
  { name: 'a whole answer, and then resets', onPeer: says(...READY, resets), expected: good() },
  {
    name: 'an answer in packets of one byte',
    onPeer: (socket) => onRequest(socket, () => inPieces(socket, Buffer.concat(READY), 1)),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'a head alone',
    onPeer: says(HELLO, headers({ ':status': '204' }, { ends: true })),
    expected: good('answer', /status 204/),
  },
  {
    name: 'status 503',
    onPeer: says(HELLO, headers({ ':status': '503' }, { ends: true })),
    expected: explicit('status', /status 503/),
  },
  {
    name: 'a body that a rule does not like',
    onPeer: says(HELLO, HEAD, data('starting', { ends: true })),
    settings: WANTS_BODY,
    expected: explicit('mismatch'),
  },
  {
    name: 'a body that is padded',
    onPeer: says(
      HELLO,
      HEAD,
      h2Frame('DATA', Buffer.from('\u0002ready\0\0'), { flags: PADDED | 1, stream: 1 }),
    ),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'a body of single bytes',
    onPeer: says(HELLO, HEAD, ...'ready'.split('').map((byte) => data(byte)), data('', { ends: true })),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'trailers',
    onPeer: says(HELLO, HEAD, data('ready'), headers({ checksum: 'x' }, { ends: true })),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'interim answers',
    onPeer: says(
      HELLO,
      headers({ ':status': '100' }),
      headers({ ':status': '103', link: 'x' }),
      ...READY.slice(1),
    ),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'a head in CONTINUATION',
    onPeer: says(
      HELLO,
      h2Frame('HEADERS', [0x88], { stream: 1 }),
      h2Frame('CONTINUATION', fieldBlock({ a: 'b' }), { flags: END_HEADERS, stream: 1 }),
      READY[2]!,
    ),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'a header that a rule wants',
    onPeer: says(...READY),
    settings: { expect: { headers: { 'Content-Type': '^text/' } } },
    expected: good(),
  },
  {
    name: 'an orderly GOAWAY, and the answer',
    onPeer: says(HELLO, goaway(0, { last: 1 }), ...READY.slice(1), ends),
    settings: WANTS_BODY,
    expected: good(),
  },
  {
    name: 'an orderly GOAWAY, and no answer',
    onPeer: says(HELLO, goaway(0, { last: 1 }), ends),
    expected: explicit('closed', /after GOAWAY \(NO_ERROR\)/),
  },
  {
    name: 'an answer before it has the whole request',
    onPeer: refusing,
    settings: { method: 'POST', body: 'x'.repeat(100_000), expect: { status: 413 } },
    expected: good(),
  },
  {
    name: 'a window that opens late',
    onPeer: reluctant,
    settings: { method: 'POST', body: 'x'.repeat(70_000), ...WANTS_BODY },
    expected: good(),
  },
  {
    name: 'a body that is larger than it may be',
    onPeer: says(HELLO, HEAD, KIB_9, KIB_9),
    settings: SMALL,
    expected: explicit('too_large', /10KiB/),
  },
  {
    name: 'a body that is larger than it may be, and no rule for it',
    onPeer: says(HELLO, HEAD, KIB_9, KIB_9),
    settings: { max_body: '10KiB' },
    expected: good(),
  },
  {
    name: 'a body without end, and no rule for it',
    onPeer: says(HELLO, HEAD, (socket) => endlessly(socket, KIB_9)),
    expected: good(),
  },
  {
    name: 'a body without end',
    onPeer: says(HELLO, HEAD, (socket) => endlessly(socket, KIB_9)),
    settings: WANTS_BODY,
    expected: explicit('too_large'),
  },
  {
    name: 'a body of 3 MB',
    onPeer: says(HELLO, HEAD, repeated(300, data(Buffer.alloc(10_000, 'r'))), data('eady', { ends: true })),
    settings: { max_body: '4MiB', ...WANTS_BODY },
    expected: good(),
  },
  {
    name: 'a body that is cut',
    onPeer: says(HELLO, HEAD, data('rea'), ends),
    settings: WANTS_BODY,
    expected: explicit('closed', /inside the answer/),
  },
  {
    name: 'a stream reset inside the body',
    onPeer: says(HELLO, HEAD, data('rea'), rstStream(2)),
    settings: WANTS_BODY,
    expected: explicit('protocol', /INTERNAL_ERROR/),
  },
  {
    name: 'content for HEAD',
    onPeer: says(...READY),
    settings: { method: 'HEAD' },
    expected: explicit('protocol', /more content/),
  },
  {
    name: 'a redirect that is followed',
    onPeer: redirecting,
    settings: { redirects: 1, ...WANTS_BODY },
    expected: good(),
  },
  {
    name: 'a redirect to itself',
    onPeer: says(HELLO, headers({ ':status': '302', location: '/' }, { ends: true })),
    settings: { redirects: 3 },
    expected: explicit('protocol', /more than 3 redirects/),
  },
  {
    name: 'text that it calls gzip',
    onPeer: says(HELLO, headers({ ...OK, 'content-encoding': 'gzip' }), data('ready', { ends: true })),
    settings: { decompress: true, ...WANTS_BODY },
    expected: explicit('protocol', /gzip/),
  },
];

const handshakes: Behaviour[] = [
  {
    name: 'HTTP/2: TLS that agrees on no protocol',
    transport: 'https',
    serve: ({ tlsServer }) => tlsServer(says(...READY)),
    settings: (port, { certificates }) => ({
      url: `https://127.0.0.1:${port}/`,
      version: 2,
      tls: { ca: certificates.ca.certFile },
    }),
    expected: explicit('protocol', /ALPN: none/),
  },
];

export const http2Rows: readonly Behaviour[] = [
  ...overHttp2([...ANSWERS, ...ILLEGAL_FRAMES, ...ILLEGAL_HEADS, ...H2_ENDS]),
  ...handshakes,
];
