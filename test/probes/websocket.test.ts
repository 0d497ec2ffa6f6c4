import { createHash } from 'node:crypto';
import { type IncomingMessage, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { websocket } from '../../probes/websocket/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { BytePattern } from '../../src/schema/pattern.ts';
import { attemptOnce } from '../support/attempt.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { closedPort, serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

/** The server of ws, which does with each connection what it is told. */
async function wsServer(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void,
  options: ConstructorParameters<typeof WebSocketServer>[0] = {},
): Promise<number> {
  const server = createServer();
  new WebSocketServer({ ...options, server }).on('connection', onSocket);
  return await serve(server);
}

function accept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** A server that answers the request with a head made from its key, and whatever comes after. */
function raw(make: (key: string) => (string | Buffer)[], then: (socket: Socket) => void = () => {}) {
  return tcpServer((socket) => {
    let head = '';
    socket.on('data', (part) => {
      if (head.endsWith('\r\n\r\n')) return;
      head += part.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] ?? '';
      socket.write(Buffer.concat(make(key).map((piece) => Buffer.from(piece))));
      then(socket);
    });
  });
}

function upgraded(key: string, more = ''): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n${more}\r\n`;
}

/** A frame without a mask. */
function frame(opcode: number, payload: string | Buffer = '', { fin = true, bits = 0 } = {}): Buffer {
  const data = Buffer.from(payload);
  const head =
    data.length < 126 ? Buffer.of(0, data.length) : Buffer.of(0, 126, data.length >> 8, data.length & 0xff);
  head[0] = (fin ? 0x80 : 0) | bits | opcode;
  return Buffer.concat([head, data]);
}

async function ask(port: number, settings: object = {}, timeoutMs = 10_000): Promise<string> {
  const attempt = await attemptOnce(
    websocket,
    { url: `ws://127.0.0.1:${port}/`, ...settings },
    { timeoutMs },
  );
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

const echo = (socket: WebSocket): void =>
  void socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));

describe('a server that serves', () => {
  test('the upgrade is enough, and the connection is closed as one should', async () => {
    let code: (code: number) => void;
    const closed = new Promise<number>((resolve) => (code = resolve));
    const port = await wsServer((socket) => socket.on('close', (with_) => code(with_)));
    expect(verdict(await attemptOnce(websocket, `ws://127.0.0.1:${port}`))).toBe('ok');
    expect(await closed).toBe(1_000);
  });

  test('headers and subprotocol', async () => {
    let request: IncomingMessage | undefined;
    const port = await wsServer((_socket, req) => (request = req), {
      handleProtocols: (offered) => [...offered].at(-1) ?? false,
    });
    const settings = { headers: { Host: 'a.b', 'x-token': 't' }, subprotocol: ['v1', 'v2'] };
    const { outcome } = await attemptOnce(websocket, { url: `ws://127.0.0.1:${port}/path?q=1`, ...settings });
    expect(outcome).toEqual({ status: 'ok', message: 'upgraded', facts: { subprotocol: 'v2' } });
    expect(request?.url).toBe('/path?q=1');
    expect(request?.headers).toMatchObject({ host: 'a.b', 'x-token': 't', 'sec-websocket-version': '13' });
    expect(request?.headers['user-agent']).toMatch(/^vitald\//);
  });

  test.each([
    [{ send: 'ping', expect: '^ping$' }, 'ok: the answer is as expected'],
    [{ send_hex: '00ff', expect: String.raw`^\x00\xff$` }, 'ok: the answer is as expected'],
    [{ send: 'süß', expect: '^süß$' }, 'ok: the answer is as expected'],
    [{ send: 'ping', expect_not: 'pong' }, 'ok: the answer is as expected'],
    [{ send: 'ping', expect_not: 'p.ng' }, 'fail mismatch explicit: a message matches /p.ng/'],
    [
      { send: 'ping', expect: 'ping', expect_not: 'p.ng' },
      'fail mismatch explicit: a message matches /p.ng/',
    ],
    [{ send: 'ping' }, 'ok: upgraded and sent'],
  ])('echo: %j -> %s', async (settings, expected) => {
    expect(await ask(await wsServer(echo), settings)).toBe(expected);
  });

  test('others may come before the message that is expected', async () => {
    const chatty = (socket: WebSocket): void => {
      for (const text of ['welcome', '', 'news', 'pong']) socket.send(text);
    };
    expect(await ask(await wsServer(chatty), { expect: '^pong$' })).toBe('ok: the answer is as expected');
    expect(await ask(await wsServer(chatty), { expect: '^never$' }, 200)).toBe(
      'fail timeout silent: the answer was not complete within 200ms',
    );
  });

  test('a message that is longer than a pattern reaches', async () => {
    const port = await wsServer((socket) => socket.send(`${'a'.repeat(41)}!${hostileText(9_000)}`));
    const tooLarge = 'fail too_large explicit: no match in the first 1.9KiB of a message';
    expect(await ask(port, { expect: `x${HOSTILE_PATTERN}` })).toBe(tooLarge);
    expect(await ask(port, { expect_not: `x${HOSTILE_PATTERN}` })).toBe(tooLarge);
    expect(await ask(port, { expect: HOSTILE_PATTERN })).toBe('ok: the answer is as expected');
  });

  test('a flood of messages against a heavy pattern takes a small part of the time', async () => {
    const message = hostileText(1_900);
    const port = await wsServer((socket) => {
      for (let i = 0; i < 900; i++) socket.send(message);
    });
    let looks = 0;
    const attempt = await attemptOnce(
      websocket,
      { url: `ws://127.0.0.1:${port}/`, expect: HOSTILE_PATTERN },
      {
        timeoutMs: 2_000,
        onTrace: (entry) => void (entry.kind === 'rule' && entry.rule === 'expect' && looks++),
      },
    );
    expect(verdict(attempt)).toBe('fail timeout silent');
    expect(looks).toBeGreaterThan(0);
    // What one costs, whatever else the machine does, now that the code has run often.
    const pattern = new BytePattern(HOSTILE_PATTERN);
    const before = process.cpuUsage();
    for (let i = 0; i < 20; i++) pattern.endOfMatch(Buffer.from(message));
    const { user, system } = process.cpuUsage(before);
    const lookMs = (user + system) / 1_000 / 20;
    expect(looks * lookMs).toBeLessThan(1_000);
  });

  test('over TLS, with the facts of its certificate', async () => {
    if (opensslProblem() !== undefined) return;
    const authority = createAuthority();
    try {
      const { cert, key } = authority.issue('server', 'DNS:ws.test,IP:127.0.0.1');
      const server = createSecureServer({ cert, key });
      new WebSocketServer({ server }).on('connection', echo);
      const port = await serve(server);
      const settings = { url: `wss://127.0.0.1:${port}/`, send: 'x', expect: 'x' };
      const good = await attemptOnce(websocket, { ...settings, tls: { ca: authority.certFile } });
      expect(good.outcome).toMatchObject({ status: 'ok', facts: { tls_subject: 'server' } });
      expect(Object.keys(good.phases)).toContain('tls');
      expect(verdict(await attemptOnce(websocket, settings))).toBe('fail tls explicit');
      const named = { url: `wss://ws.test:${port}/`, address: `127.0.0.1:${port}` };
      expect(verdict(await attemptOnce(websocket, { ...named, tls: { ca: authority.certFile } }))).toBe('ok');
      const soon = { ca: authority.certFile, cert_expiry: { warn: '30d' } };
      expect(verdict(await attemptOnce(websocket, { ...named, tls: soon }))).toBe('warn');
    } finally {
      authority.remove();
    }
  });
});

describe('handshakes that are none', () => {
  test.each([
    [
      '403',
      'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n',
      'fail status explicit: status 403, no upgrade: Forbidden',
    ],
    ['200', 'HTTP/1.1 200 OK\r\n\r\nhello', 'fail status explicit: status 200, no upgrade: OK'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n', 'fail status explicit: status 302'],
    [
      '101 without the key',
      'HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'fail protocol explicit: Invalid Sec-WebSocket-Accept header',
    ],
    [
      '101 to something else',
      'HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
      'fail protocol explicit: Invalid Upgrade header',
    ],
    [
      '101 to nothing',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'fail protocol explicit: status 101, which upgrades to nothing',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n', 'fail protocol explicit: Parse Error'],
    [
      'a head without an end',
      `HTTP/1.1 101 x\r\na: ${'x'.repeat(100_000)}`,
      'fail protocol explicit: Parse Error',
    ],
    [
      'interim answers without an end',
      'HTTP/1.1 103 x\r\n\r\n'.repeat(1_000),
      'fail protocol explicit: interim',
    ],
  ])('%s', async (_what, said, expected) => {
    expect(await ask(await raw(() => [said]))).toContain(expected);
  });

  test('a wrong key, an extension and a subprotocol that nobody offered', async () => {
    const wrong = await raw(() => [upgraded('x')]);
    expect(await ask(wrong)).toBe('fail protocol explicit: Invalid Sec-WebSocket-Accept header');
    const extension = await raw((key) => [upgraded(key, 'Sec-WebSocket-Extensions: permessage-deflate\r\n')]);
    expect(await ask(extension)).toMatch(/^fail protocol explicit: Server sent a Sec-WebSocket-Extensions/);
    const subprotocol = await raw((key) => [upgraded(key, 'Sec-WebSocket-Protocol: v1\r\n')]);
    expect(await ask(subprotocol)).toMatch(/^fail protocol explicit: Server sent a subprotocol/);
    expect(await ask(await wsServer(echo, { handleProtocols: () => false }), { subprotocol: 'v1' })).toBe(
      'fail protocol explicit: Server sent no subprotocol',
    );
  });

  test.each([
    ['closes at once', (socket: Socket) => void socket.end(), 'fail closed explicit'],
    [
      'closes after the request',
      (socket: Socket) => void socket.once('data', () => socket.end()),
      'fail closed explicit',
    ],
    [
      'resets after the request',
      (socket: Socket) => void socket.once('data', () => reset(socket)),
      'fail reset explicit',
    ],
    [
      'closes inside the head',
      (socket: Socket) => void socket.once('data', () => socket.end('HTTP/1.1 101 Swi')),
      'fail closed explicit',
    ],
  ])('%s', async (_what, onSocket, expected) => {
    expect(await ask(await tcpServer(onSocket))).toContain(expected);
  });

  test('nobody listens, and nobody answers', async () => {
    expect(await ask(await closedPort())).toContain('fail refused explicit');
    expect(await ask(await tcpServer(() => {}), {}, 100)).toBe('fail timeout silent: no answer within 100ms');
  });
});

describe('after the upgrade', () => {
  const listens = { expect: 'pong' };
  const cases: [string, Buffer[], RegExp][] = [
    ['a masked frame', [Buffer.from('818400000000706f6e67', 'hex')], /^fail protocol explicit: .*MASK/],
    ['a reserved opcode', [frame(3, 'pong')], /^fail protocol explicit: .*opcode/],
    ['reserved bits', [frame(1, 'pong', { bits: 0x40 })], /^fail protocol explicit: .*RSV1/],
    ['a continuation of nothing', [frame(0, 'pong')], /^fail protocol explicit: .*opcode/],
    ['text that is no UTF-8', [frame(1, Buffer.of(0xff, 0xfe))], /^fail protocol explicit: .*UTF-8/],
    ['a ping that is too large', [frame(9, 'x'.repeat(200))], /^fail protocol explicit/],
    ['a ping in fragments', [frame(9, 'x', { fin: false })], /^fail protocol explicit: .*FIN/],
    [
      'a close with a code that is none',
      [frame(8, Buffer.of(0, 1))],
      /^fail protocol explicit: .*status code/i,
    ],
    ['a huge frame', [Buffer.from('827f00000000ffffffff', 'hex')], /^fail too_large explicit/],
    [
      'an impossible frame',
      [Buffer.from('827fffffffffffffffff', 'hex')],
      /^fail (protocol|too_large) explicit/,
    ],
    [
      'a huge message in fragments',
      [frame(1, 'x'.repeat(60_000), { fin: false }), frame(0, 'x'.repeat(60_000))],
      /^fail too_large explicit/,
    ],
    [
      'thousands of fragments',
      [frame(1, 'x', { fin: false }), ...Array.from({ length: 2_000 }, () => frame(0, 'x', { fin: false }))],
      /^fail too_large explicit/,
    ],
    ['HTTP', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], /^fail protocol explicit/],
    ['a flood of pings', Array.from({ length: 5_000 }, () => frame(9)), /^fail protocol explicit: .*pings/],
    ['a flood of messages', Array.from({ length: 2_000 }, () => frame(1, 'x')), /^fail too_large explicit/],
    [
      'a close frame',
      [frame(8, Buffer.from([0x03, 0xe9, 0x62, 0x79, 0x65]))],
      /^fail closed explicit: the server closed with 1001: "bye"/,
    ],
    ['a close frame without a code', [frame(8)], /^fail closed explicit: the server closed with 1005/],
    ['a message in fragments', [frame(1, 'po', { fin: false }), frame(9, 'x'), frame(0, 'ng')], /^ok/],
    ['a binary message', [frame(2, 'pong')], /^ok/],
  ];
  test.each(cases)('%s, in the same packet', async (_what, frames, expected) => {
    expect(await ask(await raw((key) => [upgraded(key), ...frames]), listens)).toMatch(expected);
  });
  test.each(cases)('%s, later', async (_what, frames, expected) => {
    const port = await raw(
      (key) => [upgraded(key)],
      (socket) => setImmediate(() => socket.write(Buffer.concat(frames))),
    );
    expect(await ask(port, listens)).toMatch(expected);
  });

  test('byte by byte', async () => {
    const port = await raw(
      (key) => [upgraded(key)],
      (socket) => {
        socket.setNoDelay(true);
        const bytes = [...frame(1, 'pong')];
        const next = (): void => {
          const byte = bytes.shift();
          if (byte !== undefined) socket.write(Buffer.of(byte), () => setTimeout(next, 1));
        };
        next();
      },
    );
    expect(await ask(port, listens)).toMatch(/^ok/);
  });

  test('ends without a close frame', async () => {
    expect(
      await ask(
        await raw(
          (key) => [upgraded(key)],
          (socket) => void socket.end(),
        ),
        listens,
      ),
    ).toBe('fail closed explicit: the server closed the connection before the expected message');
    expect(
      await ask(
        await raw(
          (key) => [upgraded(key)],
          (socket) => setImmediate(reset, socket),
        ),
        listens,
      ),
    ).toBe('fail reset explicit: the server reset the connection before the expected message');
  });

  test('silence', async () => {
    expect(await ask(await raw((key) => [upgraded(key)]), listens, 150)).toBe(
      'fail timeout silent: no answer within 150ms',
    );
  });

  test('a server that does not answer our close frame, or answers it with nonsense, has still upgraded', async () => {
    expect(await ask(await raw((key) => [upgraded(key)]))).toBe('ok: upgraded');
    expect(await ask(await raw((key) => [upgraded(key), frame(3)]))).toBe('ok: upgraded');
    expect(await ask(await raw((key) => [upgraded(key), frame(1, 'pong'), frame(3)]), listens)).toMatch(
      /^ok/,
    );
  });

  test('a flood ends with the attempt: nothing of it keeps the loop busy afterwards', async () => {
    const flood = Buffer.concat(Array.from({ length: 30_000 }, () => frame(9)));
    expect(await ask(await raw((key) => [upgraded(key), flood]), listens)).toMatch(/^fail protocol/);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Immediate')).toEqual([]);
  });

  test('pings are answered', async () => {
    const port = await wsServer((socket) => {
      socket.on('pong', (data) => socket.send(`got ${data.toString()}`));
      socket.ping('x');
    });
    expect(await ask(port, { expect: 'got x' })).toMatch(/^ok/);
  });
});

test('the trace: heads with secrets masked, messages, rules', async () => {
  const trace: TraceEntry[] = [];
  const url = `ws://127.0.0.1:${await wsServer(echo)}/`;
  const settings = { url, headers: { authorization: 'Bearer x' }, send: 'ping', expect: 'pong|ping' };
  await attemptOnce(websocket, settings, { onTrace: (entry) => trace.push(entry) });
  expect(trace.map((entry) => `${entry.kind} ${'what' in entry ? entry.what : ''}`)).toEqual([
    'note ',
    'sent request',
    'received response',
    'rule ',
    'sent message',
    'received message',
    'rule ',
  ]);
  const [, request] = trace;
  expect(request).toMatchObject({ text: expect.stringMatching(/^GET \/ HTTP\/1.1\n/) });
  expect(request).toMatchObject({ text: expect.stringContaining('authorization: ***') });
  expect(trace.at(-1)).toEqual({ kind: 'rule', rule: 'expect', passed: true, value: '"ping"' });
});

test.each([
  [{ url: 'http://h/' }, 'the URL must begin with ws:// or wss:// and a host'],
  [{ url: 'ws://' }, 'the URL must begin with ws:// or wss:// and a host'],
  [{ url: 'ws://h/#a' }, 'the URL of a WebSocket has no fragment (RFC 6455 section 3)'],
  [{ url: 'ws://u:p@h/' }, 'write credentials as auth, not inside the URL'],
  [{ url: 'ws://h/', tls: {} }, 'tls is for wss:// URLs'],
  [{ url: 'ws://h/', headers: { Upgrade: 'x' } }, 'Upgrade belongs to the handshake and cannot be set'],
  [{ url: 'ws://h/', headers: { 'a b': 'x' } }, '"a b" is not a header name'],
  [{ url: 'ws://h/', subprotocol: ['a', 'a'] }, 'a subprotocol is there twice'],
  [{ url: 'ws://h/', subprotocol: 'a b' }, 'this is no name of a subprotocol'],
  [{ url: 'ws://h/', send: 'x', send_hex: '00' }, 'send and send_hex exclude each other'],
  [{ url: 'ws://127.0.0.1/', family: 6 }, '127.0.0.1 is not an IPv6 address'],
])('%j: %s', (written, message) => {
  expect(websocket.settings.safeParse(written).error?.issues[0]?.message).toBe(message);
});
