import { type ServerHttp2Stream, createSecureServer, createServer } from 'node:http2';
import { createServer as createHttp } from 'node:http';
import { createServer as createTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { grpc } from '../../probes/grpc/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { answering, closedPort, serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

/** A gRPC message: flag, length, bytes. */
function message(bytes: readonly number[], { flag = 0, length = bytes.length } = {}): Buffer {
  return Buffer.from([flag, 0, 0, length >> 8, length & 255, ...bytes]);
}

const SERVING = message([8, 1]);

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly data?: Buffer;
  readonly trailers?: Record<string, string>;
}

/** Answers any call so. */
function answered({ status = 200, type = 'application/grpc', data = SERVING, trailers }: Answer) {
  return (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': status, 'content-type': type }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(trailers ?? { 'grpc-status': '0' }));
    stream.end(data);
  };
}

/** One attempt at an HTTP/2 server that treats each stream so: the verdict and the message. */
async function judged(onStream: (stream: ServerHttp2Stream) => void, timeoutMs = 2_000): Promise<string> {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    onStream(stream);
  });
  server.on('session', (session) => session.on('error', () => {}));
  const attempt = await attemptOnce(grpc, `127.0.0.1:${await serve(server)}`, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

test('a status in the head is none where data follows: only the end of the stream can have it', async () => {
  const verdictOf = await judged((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' });
    stream.end(SERVING);
  });
  expect(verdictOf).toBe('fail protocol explicit: the answer has no grpc-status');
});

describe('the answer', () => {
  test.each<[string, Answer, string]>([
    ['SERVING', {}, 'ok: SERVING'],
    ['with a suffix of the type', { type: 'application/grpc+proto' }, 'ok: SERVING'],
    ['with fields of the future', { data: message([0x12, 2, 65, 66, 8, 1, 0x18, 0x96, 1]) }, 'ok: SERVING'],
    ['the last of two statuses', { data: message([8, 2, 8, 1]) }, 'ok: SERVING'],
    ['empty, which is UNKNOWN', { data: message([]) }, 'fail not_serving explicit: UNKNOWN'],
    ['NOT_SERVING', { data: message([8, 2]) }, 'fail not_serving explicit: NOT_SERVING'],
    ['SERVICE_UNKNOWN', { data: message([8, 3]) }, 'fail not_serving explicit: SERVICE_UNKNOWN'],
    ['a status of the future', { data: message([8, 0x81, 1]) }, 'fail not_serving explicit: status 129'],
    ['a status beside SERVING', { trailers: { 'grpc-status': '14' } }, 'fail status explicit: UNAVAILABLE'],
    [
      'a status with its message',
      { trailers: { 'grpc-status': '16', 'grpc-message': 'no%20token %' } },
      'fail status explicit: UNAUTHENTICATED: no%20token %',
    ],
    [
      'an escaped message',
      { trailers: { 'grpc-status': '5', 'grpc-message': 'gr%C3%BCn' } },
      'fail status explicit: NOT_FOUND: gr\u00fcn',
    ],
    ['a status without a name', { trailers: { 'grpc-status': '99' } }, 'fail status explicit: code 99'],
    ['no status', { trailers: { x: '1' } }, 'fail protocol explicit: the answer has no grpc-status'],
    [
      'a status that is none',
      { trailers: { 'grpc-status': '-1' } },
      'fail protocol explicit: the answer has no grpc-status',
    ],
    [
      'another HTTP status',
      { status: 503 },
      'fail protocol explicit: HTTP status 503 instead of a gRPC answer',
    ],
    ['a web page', { type: 'text/html' }, 'fail protocol explicit: content-type text/html is not gRPC'],
    [
      'gRPC-Web',
      { type: 'application/grpc-web' },
      'fail protocol explicit: content-type application/grpc-web is not gRPC',
    ],
    ...(
      [
        ['nothing', Buffer.alloc(0)],
        ['half a frame', SERVING.subarray(0, 4)],
        ['less than the frame says', message([8], { length: 2 })],
        ['more than the frame says', message([8, 1, 0], { length: 2 })],
        ['two messages', Buffer.concat([SERVING, SERVING])],
        ['a compressed message', message([8, 1], { flag: 1 })],
        ['a field without its value', message([8])],
        ['a number that does not end', message([8, 255])],
        ['a text that is cut', message([0x12, 9, 65])],
        ['a field of no known type', message([0x0f, 1])],
      ] as const
    ).map(([what, data]): [string, Answer, string] => [
      what,
      { data },
      'fail protocol explicit: the answer is not one HealthCheckResponse',
    ]),
    [
      'more than a health answer can be',
      { data: Buffer.alloc(200_000) },
      'fail protocol explicit: the answer is larger than a health answer can be',
    ],
  ])('%s', async (_what, answer, expected) => expect(await judged(answered(answer))).toBe(expected));

  test('trailers alone, in one frame', async () => {
    const refuse = (stream: ServerHttp2Stream): void => {
      const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' };
      stream.respond(head, { endStream: true });
    };
    expect(await judged(refuse)).toBe('fail status explicit: UNIMPLEMENTED');
  });
});

describe('the stream and the session', () => {
  test.each<[string, (stream: ServerHttp2Stream) => void, RegExp]>([
    ['a stream reset', (stream) => stream.close(2), /^fail protocol explicit: .*(reset|INTERNAL)/],
    ['a stream refused', (stream) => stream.close(7), /^fail protocol explicit/],
    [
      'a stream reset after the head',
      (stream) => {
        stream.respond({ 'content-type': 'application/grpc' });
        stream.close(2);
      },
      /^fail protocol explicit/,
    ],
    ['GOAWAY', (stream) => stream.session!.goaway(0), /^fail protocol explicit: .*GOAWAY/],
    ['GOAWAY with an error', (stream) => stream.session!.goaway(11), /^fail protocol explicit: .*GOAWAY/],
    ['silence', () => {}, /^fail timeout silent: no answer within 200ms/],
    [
      'a head and then silence',
      (stream) => stream.respond({ 'content-type': 'application/grpc' }),
      /^fail timeout silent: the answer was not complete/,
    ],
  ])('%s', async (_what, onStream, expected) => expect(await judged(onStream, 200)).toMatch(expected));
});

describe('frames that come in one packet, and then the end', () => {
  const headers = [0x88, ...literal('content-type', 'application/grpc')];
  const settings = frame(4, 0, 0, []);
  const head = frame(1, 4, 1, headers);
  const data = frame(0, 0, 1, [...SERVING]);
  const trailers = frame(1, 5, 1, literal('grpc-status', '0'));
  const goaway = frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]);

  test.each([
    ['the answer', [settings, head, data, trailers], /^ok: SERVING/],
    ['the answer and GOAWAY', [settings, head, data, trailers, goaway], /^ok: SERVING/],
    ['GOAWAY before the answer', [settings, goaway], /^fail protocol explicit: .*GOAWAY/],
    ['no trailers', [settings, head, data], /^fail closed explicit: the server closed the connection/],
    ['half an answer', [settings, head, data.subarray(0, 10)], /^fail closed explicit/],
    ['greetings alone', [settings], /^fail closed explicit/],
  ])('%s', async (_what, frames, expected) => {
    const attempt = await attemptOnce(grpc, `127.0.0.1:${await answering(Buffer.concat(frames))}`);
    expect(`${verdict(attempt)}: ${attempt.outcome.message}`).toMatch(expected);
  });

  function frame(type: number, flags: number, stream: number, payload: readonly number[]): Buffer {
    return Buffer.from([
      0,
      payload.length >> 8,
      payload.length & 255,
      type,
      flags,
      0,
      0,
      0,
      stream,
      ...payload,
    ]);
  }

  /** RFC 7541 section 6.2.2: a literal field, not indexed. */
  function literal(name: string, value: string): number[] {
    return [0, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)];
  }
});

describe('a server that is none', () => {
  async function against(port: number, tls?: unknown): Promise<string> {
    return verdict(await attemptOnce(grpc, { address: `127.0.0.1:${port}`, tls }, { timeoutMs: 200 }));
  }

  test('nothing listens', async () => {
    expect(await against(await closedPort())).toBe('fail refused explicit');
  });

  test('accepts and says nothing', async () => {
    expect(await against(await tcpServer(() => {}))).toBe('fail timeout silent');
  });

  test('accepts and closes', async () => {
    expect(await against(await tcpServer((socket) => socket.end()))).toBe('fail closed explicit');
    const port = await tcpServer((socket) => void socket.once('data', () => socket.end()));
    expect(await against(port)).toBe('fail closed explicit');
  });

  test('accepts and resets', async () => {
    expect(await against(await tcpServer(reset))).toBe('fail reset explicit');
    const port = await tcpServer((socket) => void socket.once('data', () => reset(socket)));
    expect(await against(port)).toBe('fail reset explicit');
  });

  test('speaks something else', async () => {
    expect(await against(await answering('SSH-2.0-x\r\n'))).toBe('fail protocol explicit');
    expect(await against(await answering(Buffer.alloc(4_000, 'x'), { close: false }))).toBe(
      'fail protocol explicit',
    );
    expect(await against(await serve(createHttp((_request, answer) => answer.end())))).toBe(
      'fail protocol explicit',
    );
  });
});

const problem = opensslProblem();
// oxlint-disable-next-line no-console
if (problem) console.warn(`grpc-protocol.test.ts skips TLS: ${problem}`);

describe.skipIf(problem)('ALPN', () => {
  test('h2 is asked for; a server without it does not speak HTTP/2', async () => {
    const ca = createAuthority();
    const own = ca.issue('grpc', 'IP:127.0.0.1');
    const asked: unknown[] = [];
    const server = createSecureServer(own);
    server.on('session', (session) => asked.push(session.alpnProtocol));
    server.on('stream', answered({}));
    const tls = { ca: ca.certFile };
    expect(verdict(await attemptOnce(grpc, { address: `127.0.0.1:${await serve(server)}`, tls }))).toBe('ok');
    expect(asked).toEqual(['h2']);
    const web = createTls({ ...own, ALPNProtocols: ['http/1.1'] }, () => {});
    const refused = await attemptOnce(grpc, { address: `127.0.0.1:${await serve(web)}`, tls });
    expect(verdict(refused)).toMatch(/^fail (tls|protocol) explicit$/);
    const old = createTls(own, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    const plain = await attemptOnce(grpc, { address: `127.0.0.1:${await serve(old)}`, tls });
    expect(verdict(plain)).toBe('fail protocol explicit');
    ca.remove();
  });
});
