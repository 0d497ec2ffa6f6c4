import {
  GRPC_ANSWER,
  GRPC_END,
  GRPC_HEAD,
  HELLO,
  SERVING,
  data,
  grpcMessage,
  headers,
  repeated,
} from '../h2.ts';
import { type OverBoth, explicit, good, overGrpc } from './behaviour.ts';
import { says } from './h2-says.ts';

const NOT_ONE = /not one HealthCheckResponse/;
const GRPC = { ':status': '200', 'content-type': 'application/grpc' };

/** A stream of a head, this content and these trailers. */
function answered(content: Buffer, trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' }) {
  return says(HELLO, GRPC_HEAD, data(content), headers(trailers, { ends: true }));
}

/** Trailers alone. */
function only(fields: Readonly<Record<string, string>>) {
  return says(HELLO, headers(fields, { ends: true }));
}

const SAYS_WHAT: OverBoth[] = [
  { name: 'SERVING', onPeer: says(...GRPC_ANSWER), expected: good('answer', /^SERVING$/) },
  {
    name: 'NOT_SERVING',
    onPeer: answered(grpcMessage([8, 2])),
    expected: explicit('not_serving', /^NOT_SERVING$/),
  },
  { name: 'UNKNOWN', onPeer: answered(grpcMessage([])), expected: explicit('not_serving', /^UNKNOWN$/) },
  {
    name: 'SERVICE_UNKNOWN',
    onPeer: answered(grpcMessage([8, 3])),
    expected: explicit('not_serving', /^SERVICE_UNKNOWN$/),
  },
  {
    name: 'a serving status of the future',
    onPeer: answered(grpcMessage([8, 9])),
    expected: explicit('not_serving', /status 9/),
  },
  {
    name: 'SERVING with a failed status',
    onPeer: answered(SERVING, { 'grpc-status': '13' }),
    expected: explicit('status', /^INTERNAL$/),
  },
  {
    name: 'trailers only: UNIMPLEMENTED, its message percent-encoded',
    onPeer: only({ ...GRPC, 'grpc-status': '12', 'grpc-message': 'unknown%20service%20gr%C3%BCn' }),
    expected: explicit('status', /^UNIMPLEMENTED: unknown service gr\u00fcn$/),
  },
  {
    name: 'trailers only: NOT_FOUND',
    onPeer: only({ ...GRPC, 'grpc-status': '5' }),
    expected: explicit('status', /^NOT_FOUND$/),
  },
  {
    name: 'trailers only: UNAVAILABLE',
    onPeer: only({ ...GRPC, 'grpc-status': '14' }),
    expected: explicit('status', /^UNAVAILABLE$/),
  },
  {
    name: 'trailers only: UNAUTHENTICATED',
    onPeer: only({ ...GRPC, 'grpc-status': '16' }),
    expected: explicit('status', /^UNAUTHENTICATED$/),
  },
  {
    name: 'trailers only: OK, without a message',
    onPeer: only({ ...GRPC, 'grpc-status': '0' }),
    expected: explicit('protocol', NOT_ONE),
  },
  { name: 'trailers only: no status', onPeer: only(GRPC), expected: explicit('protocol', /no grpc-status/) },
  {
    name: 'a status beyond the list',
    onPeer: only({ ...GRPC, 'grpc-status': '17' }),
    expected: explicit('status', /^code 17$/),
  },
  {
    name: 'a status of words',
    onPeer: only({ ...GRPC, 'grpc-status': 'OK' }),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'an empty status',
    onPeer: answered(SERVING, { 'grpc-status': '' }),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'a status below zero',
    onPeer: answered(SERVING, { 'grpc-status': '-1' }),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'a status of a hundred digits',
    onPeer: answered(SERVING, { 'grpc-status': '0'.repeat(100) }),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'two statuses',
    onPeer: says(
      HELLO,
      GRPC_HEAD,
      data(SERVING),
      headers(
        [
          ['grpc-status', '0'],
          ['grpc-status', '14'],
        ],
        { ends: true },
      ),
    ),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'no status in the trailers',
    onPeer: answered(SERVING, { x: 'y' }),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'a status in the head, and no trailers',
    onPeer: says(HELLO, headers({ ...GRPC, 'grpc-status': '0' }), data(SERVING, { ends: true })),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'SERVING, and no trailers',
    onPeer: says(HELLO, GRPC_HEAD, data(SERVING, { ends: true })),
    expected: explicit('protocol', /no grpc-status/),
  },
  {
    name: 'a message that drives the terminal',
    onPeer: only({ ...GRPC, 'grpc-status': '2', 'grpc-message': '%1B[2J%0Agone' }),
    expected: explicit('status', /^UNKNOWN: {2}\[2J gone$/),
  },
  {
    name: 'a message that is not encoded',
    onPeer: only({ ...GRPC, 'grpc-status': '2', 'grpc-message': '100%' }),
    expected: explicit('status', /^UNKNOWN: 100%$/),
  },
  {
    name: 'a message of 30 kB',
    onPeer: only({ ...GRPC, 'grpc-status': '2', 'grpc-message': 'x'.repeat(30_000).slice(0, 16_000) }),
    expected: explicit('status', /^UNKNOWN: x{200}…$/),
  },
  {
    name: 'HTTP 503',
    onPeer: only({ ':status': '503', 'content-type': 'text/plain' }),
    expected: explicit('protocol', /HTTP status 503/),
  },
  {
    name: 'HTTP 502 with a page',
    onPeer: says(HELLO, headers({ ':status': '502' }), data('<html>', { ends: true })),
    expected: explicit('protocol', /HTTP status 502/),
  },
  {
    name: 'HTTP 404 with a gRPC status',
    onPeer: only({ ...GRPC, ':status': '404', 'grpc-status': '12' }),
    expected: explicit('protocol', /HTTP status 404/),
  },
  {
    name: 'a redirect',
    onPeer: only({ ':status': '301', location: '/' }),
    expected: explicit('protocol', /HTTP status 301/),
  },
  {
    name: 'status 204',
    onPeer: only({ ':status': '204' }),
    expected: explicit('protocol', /HTTP status 204/),
  },
  {
    name: 'a web page',
    onPeer: says(
      HELLO,
      headers({ ':status': '200', 'content-type': 'text/html' }),
      data('<html>', { ends: true }),
    ),
    expected: explicit('protocol', /text\/html is not gRPC/),
  },
  {
    name: 'gRPC-Web',
    onPeer: only({ ':status': '200', 'content-type': 'application/grpc-web+proto', 'grpc-status': '0' }),
    expected: explicit('protocol', /is not gRPC/),
  },
  {
    name: 'no content-type',
    onPeer: says(HELLO, headers({ ':status': '200' }), data(SERVING), GRPC_END),
    expected: explicit('protocol', /content-type none/),
  },
];

const MESSAGES: OverBoth[] = [
  {
    name: 'a compressed message',
    onPeer: answered(grpcMessage([8, 1], { flag: 1 })),
    expected: explicit('protocol', NOT_ONE),
  },
  {
    name: 'a flag that is none',
    onPeer: answered(grpcMessage([8, 1], { flag: 7 })),
    expected: explicit('protocol', NOT_ONE),
  },
  {
    name: 'two messages',
    onPeer: answered(Buffer.concat([SERVING, SERVING])),
    expected: explicit('protocol', NOT_ONE),
  },
  { name: 'no message', onPeer: says(HELLO, GRPC_HEAD, GRPC_END), expected: explicit('protocol', NOT_ONE) },
  {
    name: 'half a message',
    onPeer: answered(SERVING.subarray(0, 6)),
    expected: explicit('protocol', NOT_ONE),
  },
  {
    name: 'a message of 4 GiB, it says',
    onPeer: answered(grpcMessage([8, 1], { length: 2 ** 32 - 1 })),
    expected: explicit('protocol', /larger than a health answer/),
  },
  {
    name: 'a message that is no HealthCheckResponse',
    onPeer: answered(grpcMessage([0xff, 0xff, 0xff])),
    expected: explicit('protocol', NOT_ONE),
  },
  {
    name: 'a message of 70 kB',
    onPeer: says(HELLO, GRPC_HEAD, repeated(5, data(Buffer.alloc(14_000)))),
    expected: explicit('protocol', /larger than a health answer/),
  },
  {
    name: 'the head of a message of 4 GiB, then silence',
    onPeer: says(HELLO, GRPC_HEAD, data(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 8, 1]))),
    expected: explicit('protocol', /larger than a health answer/),
  },
  {
    name: 'a message with a field of the number 0',
    onPeer: answered(Buffer.from([0, 0, 0, 0, 2, 0, 1])),
    expected: explicit('protocol', NOT_ONE),
  },
];

export const grpcAnswers = overGrpc([...SAYS_WHAT, ...MESSAGES]);
