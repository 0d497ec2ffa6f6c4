import {
  END_HEADERS,
  END_STREAM,
  GRPC_ANSWER,
  GRPC_END,
  GRPC_HEAD,
  HELLO,
  PADDED,
  SERVING,
  SETTINGS_ACK,
  data,
  goaway,
  h2Frame,
  headers,
  onRequest,
  repeated,
  rstStream,
  settings,
  windowUpdate,
} from '../h2.ts';
import { explicit, good, overGrpc } from './behaviour.ts';
import { says } from './h2-says.ts';
import { inPieces } from './pieces.ts';

/** Odd, and yet by the book. */
export const grpcLegal = overGrpc([
  {
    name: 'SERVING in packets of one byte',
    onPeer: (socket) => onRequest(socket, () => inPieces(socket, Buffer.concat(GRPC_ANSWER), 1)),
    expected: good(),
  },
  {
    name: 'SERVING before it has asked',
    onPeer: (socket) => void socket.resume().write(Buffer.concat(GRPC_ANSWER)),
    expected: good(),
  },
  {
    name: 'SERVING with padding',
    onPeer: says(
      HELLO,
      GRPC_HEAD,
      h2Frame('DATA', Buffer.concat([Buffer.from([9]), SERVING, Buffer.alloc(9)]), {
        flags: PADDED,
        stream: 1,
      }),
      GRPC_END,
    ),
    expected: good(),
  },
  {
    name: 'SERVING in DATA of one byte',
    onPeer: says(HELLO, GRPC_HEAD, ...[...SERVING].map((byte) => data([byte])), GRPC_END),
    expected: good(),
  },
  {
    name: 'SERVING with an empty DATA at its end',
    onPeer: says(HELLO, GRPC_HEAD, data(SERVING), data(''), GRPC_END),
    expected: good(),
  },
  {
    name: 'SERVING after pings',
    onPeer: says(HELLO, repeated(20, h2Frame('PING', Buffer.alloc(8))), ...GRPC_ANSWER.slice(1)),
    expected: good(),
  },
  {
    name: 'SERVING after interim answers',
    onPeer: says(HELLO, repeated(3, headers({ ':status': '103' })), ...GRPC_ANSWER.slice(2)),
    expected: good(),
  },
  {
    name: 'SERVING amid frames of the future',
    onPeer: says(
      HELLO,
      h2Frame(0xbe, Buffer.alloc(300), { flags: 255, stream: 77 }),
      SETTINGS_ACK,
      h2Frame('PRIORITY', Buffer.alloc(5), { stream: 9 }),
      ...GRPC_ANSWER.slice(2),
    ),
    expected: good(),
  },
  {
    name: 'SERVING with settings of every kind',
    onPeer: says(
      settings([1, 0], [2, 0], [3, 0], [4, 0], [5, 16_777_215], [6, 0], [8, 1], [9, 0], [0xfafa, 7]),
      ...GRPC_ANSWER.slice(1),
    ),
    expected: good(),
  },
  {
    name: 'SERVING after new settings',
    onPeer: says(HELLO, settings([4, 1]), settings([4, 2 ** 31 - 1]), ...GRPC_ANSWER.slice(2)),
    expected: good(),
  },
  {
    name: 'SERVING without an acknowledgement of our settings',
    onPeer: says(HELLO, ...GRPC_ANSWER.slice(2)),
    expected: good(),
  },
  {
    name: 'SERVING with its windows as wide as can be',
    onPeer: says(
      HELLO,
      windowUpdate(2 ** 31 - 1 - 65_535),
      windowUpdate(2 ** 31 - 1 - 65_535, 1),
      ...GRPC_ANSWER.slice(2),
    ),
    expected: good(),
  },
  {
    name: 'a head of many fields in CONTINUATION',
    onPeer: says(
      HELLO,
      h2Frame('HEADERS', GRPC_HEAD.subarray(9), { stream: 1 }),
      repeated(
        3,
        h2Frame('CONTINUATION', Buffer.from(`\0\u0001a\u007f\u0081\u003e${'b'.repeat(8_064)}`, 'latin1'), {
          stream: 1,
        }),
      ),
      h2Frame('CONTINUATION', [], { flags: END_HEADERS, stream: 1 }),
      ...GRPC_ANSWER.slice(3),
    ),
    expected: good(),
  },
  {
    name: 'SERVING, and then GOAWAY',
    onPeer: says(...GRPC_ANSWER, goaway(0, { last: 1 })),
    expected: good(),
  },
  {
    name: 'SERVING, and then a stream reset without an error',
    onPeer: says(...GRPC_ANSWER, rstStream(0)),
    expected: good(),
  },
  {
    name: 'SERVING, and then nonsense',
    onPeer: says(...GRPC_ANSWER, Buffer.from('nonsense')),
    expected: good(),
  },
  {
    name: 'trailers of an empty DATA instead',
    onPeer: says(
      HELLO,
      h2Frame('HEADERS', GRPC_HEAD.subarray(9), { flags: END_HEADERS | END_STREAM, stream: 1 }),
    ),
    expected: explicit('protocol', /no grpc-status/),
  },
]);
