import { HELLO, SETTINGS_ACK, data, goaway, h2Frame, headers, rstStream } from '../h2.ts';
import { type OverBoth, explicit, silent } from './behaviour.ts';
import { type Saying, ends, resets, says, saysAtOnce } from './h2-says.ts';
import { endlessly, trickle } from './pieces.ts';

const HEAD = headers({ ':status': '200', 'content-type': 'application/grpc' });
const NO_ANSWER = /without an answer/;
const INSIDE = /inside the answer/;
const STRANGER = /does not speak HTTP\/2/;

/** Connections and streams that end, or do not, before there is an answer: whoever asks. */
export const H2_ENDS: readonly OverBoth[] = [
  {
    name: 'accepts, then says nothing',
    onPeer: (socket) => void socket.resume(),
    expected: silent(/no answer/),
  },
  { name: 'accepts, and does not even read', onPeer: () => {}, expected: silent(/no answer/) },
  { name: 'SETTINGS, then silence', onPeer: saysAtOnce(HELLO), expected: silent(/no answer/) },
  {
    name: 'SETTINGS and an acknowledgement, then silence',
    onPeer: says(HELLO, SETTINGS_ACK),
    expected: silent(/no answer/),
  },
  {
    name: 'half of SETTINGS, then silence',
    onPeer: saysAtOnce(HELLO.subarray(0, 5)),
    expected: silent(/no answer/),
  },
  {
    name: 'half a head, then silence',
    onPeer: says(HELLO, HEAD.subarray(0, 20)),
    expected: silent(/no answer/),
  },
  {
    name: 'HEADERS that go on for ever, slowly',
    onPeer: says(HELLO, h2Frame('HEADERS', [], { stream: 1 }), (socket) =>
      trickle(socket, h2Frame('CONTINUATION', [], { stream: 1 })),
    ),
    expected: silent(/no answer/),
  },
  { name: 'a head, then silence', onPeer: says(HELLO, HEAD), expected: silent(/not complete/) },
  { name: 'content, then silence', onPeer: says(HELLO, HEAD, data('abc')), expected: silent(/not complete/) },
  {
    name: 'half of DATA, then silence',
    onPeer: says(HELLO, HEAD, h2Frame('DATA', [1], { stream: 1, length: 100 })),
    expected: silent(/not complete/),
  },
  {
    name: 'an interim answer, then silence',
    onPeer: says(HELLO, headers({ ':status': '100' })),
    expected: silent(/no answer/),
  },
  {
    name: 'now and again a PING',
    onPeer: says(HELLO, (socket) => trickle(socket, h2Frame('PING', Buffer.alloc(8)))),
    expected: silent(/no answer/),
  },
  {
    name: 'now and again a byte of content',
    onPeer: says(HELLO, HEAD, (socket) => trickle(socket, data('x'))),
    expected: silent(/not complete/),
  },
  { name: 'accepts, then closes', onPeer: ends, expected: explicit('closed') },
  { name: 'closes when it is asked', onPeer: says(ends), expected: explicit('closed', NO_ANSWER) },
  { name: 'SETTINGS, then closes', onPeer: says(HELLO, ends), expected: explicit('closed', NO_ANSWER) },
  {
    name: 'closes inside SETTINGS',
    onPeer: says(HELLO.subarray(0, 7), ends),
    expected: explicit('closed', NO_ANSWER),
  },
  {
    name: 'closes inside a head',
    onPeer: says(HELLO, HEAD.subarray(0, 15), ends),
    expected: explicit('closed', NO_ANSWER),
  },
  { name: 'closes after a head', onPeer: says(HELLO, HEAD, ends), expected: explicit('closed', INSIDE) },
  {
    name: 'closes inside the content',
    onPeer: says(HELLO, HEAD, data('abcdef').subarray(0, 11), ends),
    expected: explicit('closed', INSIDE),
  },
  {
    name: 'is cut off after a head',
    onPeer: says(HELLO, HEAD, (_socket, wire) => wire.cut()),
    expected: explicit('closed', INSIDE),
  },
  { name: 'accepts, then resets', onPeer: resets, expected: explicit('reset') },
  { name: 'resets when it is asked', onPeer: says(resets), expected: explicit('reset') },
  { name: 'SETTINGS, then resets', onPeer: says(HELLO, resets), expected: explicit('reset') },
  {
    name: 'resets inside the answer',
    onPeer: says(HELLO, HEAD, data('abc'), resets),
    expected: explicit('reset'),
  },
  ...(
    [
      [0, 'NO_ERROR'],
      [1, 'PROTOCOL_ERROR'],
      [2, 'INTERNAL_ERROR'],
      [7, 'REFUSED_STREAM'],
      [8, 'CANCEL'],
      [11, 'ENHANCE_YOUR_CALM'],
      [13, 'HTTP_1_1_REQUIRED'],
      [0xdead, 'code 57005'],
    ] as const
  ).map(([code, name]): OverBoth => ({
    name: `RST_STREAM with ${name}`,
    onPeer: says(HELLO, rstStream(code)),
    expected: explicit('protocol', new RegExp(`reset the stream before the answer \\(${name}\\)`)),
  })),
  {
    name: 'RST_STREAM after a head',
    onPeer: says(HELLO, HEAD, rstStream(2)),
    expected: explicit('protocol', /inside the answer \(INTERNAL_ERROR\)/),
  },
  {
    name: 'RST_STREAM, then closes',
    onPeer: says(HELLO, rstStream(8), ends),
    expected: explicit('protocol', /CANCEL/),
  },
  {
    name: 'GOAWAY that leaves us out',
    onPeer: says(HELLO, goaway(0)),
    expected: explicit('protocol', /GOAWAY \(NO_ERROR\) before the answer/),
  },
  {
    name: 'GOAWAY with ENHANCE_YOUR_CALM and its words',
    onPeer: says(HELLO, goaway(11, { words: 'too_many_pings' }), ends),
    expected: explicit('protocol', /ENHANCE_YOUR_CALM, "too_many_pings"/),
  },
  {
    name: 'GOAWAY with PROTOCOL_ERROR, then resets',
    onPeer: says(HELLO, goaway(1, { last: 1 }), resets),
    expected: explicit('protocol', /PROTOCOL_ERROR/),
  },
  {
    name: 'GOAWAY with 16 kB of words',
    onPeer: says(HELLO, goaway(2, { words: 'x'.repeat(16_000) })),
    expected: explicit('protocol', /INTERNAL_ERROR, "x{120}…"/),
  },
  {
    name: 'GOAWAY inside the answer',
    onPeer: says(HELLO, HEAD, goaway(2, { last: 1 })),
    expected: explicit('protocol', /INTERNAL_ERROR/),
  },
  ...foreign(),
];

/** Servers of other protocols. */
function foreign(): OverBoth[] {
  const rows: readonly (readonly [string, readonly Saying[]])[] = [
    ['HTTP/1.1 400', [Buffer.from('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'), ends]],
    [
      'HTTP/1.1 200, and holds the connection',
      [Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')],
    ],
    ['an SSH banner', [Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')]],
    ['an SMTP banner', [Buffer.from('220 mail.internal ESMTP\r\n')]],
    ['an error of Redis', [Buffer.from("-ERR unknown command 'PRI'\r\n")]],
    ['a greeting of MySQL', [Buffer.from('4a0000000a382e302e3335', 'hex')]],
    ['a TLS alert', [Buffer.from([0x15, 3, 1, 0, 2, 2, 40]), ends]],
    ['a banner before SETTINGS', [Buffer.from('hello\r\n'), HELLO]],
    ['zeros without an end', [(socket) => endlessly(socket, Buffer.alloc(4_096))]],
    ['one wrong byte', [Buffer.from([1])]],
    ['its own preface', [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')]],
  ];
  return rows.map(([name, sayings]) => ({
    name: `another protocol: ${name}`,
    onPeer: saysAtOnce(...sayings),
    expected: explicit('protocol', name.startsWith('zeros') ? /DATA before SETTINGS/ : STRANGER),
  }));
}
