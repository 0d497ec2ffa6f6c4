import { type IncomingMessage, createServer } from 'node:http';
import { createServer as createTls } from 'node:https';
import { type Socket, connect } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { answering, closedPort, serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const noOpenssl = opensslProblem();
const authority = noOpenssl ? undefined : createAuthority();
afterAll(() => authority?.remove());

/** A proxy that notes what it is asked, and does it. */
async function proxy(): Promise<{ port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, answer) => {
    asked.push(request);
    answer.end('by the proxy');
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request);
    const { port } = new URL(`http://${request.url}`);
    const onwards = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Go\r\nX: y\r\n\r\n');
      socket.pipe(onwards).pipe(socket);
    });
    for (const end of [socket, onwards]) end.on('error', () => {});
    socket.on('close', () => onwards.destroy());
  });
  return { port: await serve(server), asked };
}

async function said(settings: object, timeoutMs = 20_000): Promise<string> {
  const attempt = await attemptOnce(http, { url: 'https://shop.test/', ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`.replaceAll(/127\.0\.0\.1:\d+/g, 'PROXY');
}

test('an http request goes to the proxy with its whole URL, and its name is not looked up here', async () => {
  const { port, asked } = await proxy();
  const outcome = await said({
    url: 'http://shop.invalid:81/a?b=%20#c',
    proxy: `http://us%40er:p%3Aw@127.0.0.1:${port}`,
    expect: { body: 'by the proxy' },
  });
  expect(outcome).toBe('ok: status 200');
  expect(asked[0]?.url).toBe('http://shop.invalid:81/a?b=%20');
  expect(asked[0]?.headers).toMatchObject({
    host: 'shop.invalid:81',
    'proxy-authorization': `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
  });
});

test.skipIf(noOpenssl)('an https request goes through a tunnel, and the proxy sees none of it', async () => {
  const { port, asked } = await proxy();
  const certificate = authority!.issue('shop.test', 'DNS:shop.test');
  const target = await serve(
    createTls(certificate, (request, answer) =>
      answer.end(`${request.url} ${request.headers['proxy-authorization']}`),
    ),
  );
  const entries: TraceEntry[] = [];
  const attempt = await attemptOnce(
    http,
    {
      url: `https://shop.test:${target}/in`,
      proxy: `http://u:secret@127.0.0.1:${port}`,
      tls: { ca: authority!.certFile },
      expect: { body: '^/in undefined$' },
    },
    { timeoutMs: 20_000, onTrace: (entry) => entries.push(entry) },
  );
  expect(verdict(attempt)).toBe('ok');
  expect(attempt.outcome.facts).toMatchObject({ tls_subject: 'shop.test' });
  expect(asked.map(({ method, url, headers }) => [method, url, headers.host])).toEqual([
    ['CONNECT', `shop.test:${target}`, `shop.test:${target}`],
  ]);
  expect(asked[0]?.headers['proxy-authorization']).toMatch(/^Basic /);
  expect(JSON.stringify(entries)).toContain('proxy-authorization: ***');
  expect(JSON.stringify(entries)).not.toContain(Buffer.from('u:secret').toString('base64'));
});

describe('a proxy that fails is named', () => {
  test('nobody listens', async () => {
    expect(await said({ proxy: `http://127.0.0.1:${await closedPort()}` })).toMatch(
      /^fail unreachable path: the proxy PROXY: connect ECONNREFUSED/,
    );
  });

  test.each([
    [
      'HTTP/1.1 502 X\r\n\r\n',
      'fail unreachable path: the proxy PROXY answered 502 to CONNECT shop.test:443',
    ],
    [
      'HTTP/1.1 503 X\r\n\r\n',
      'fail unreachable path: the proxy PROXY answered 503 to CONNECT shop.test:443',
    ],
    ['HTTP/1.1 407 X\r\n\r\n', 'fail status explicit: the proxy PROXY answered 407 to CONNECT shop.test:443'],
    ['HTTP/1.1 403 X\r\n\r\n', 'fail status explicit: the proxy PROXY answered 403 to CONNECT shop.test:443'],
    [
      'HTTP/1.1 302 X\r\nLocation: /\r\n\r\n',
      'fail status explicit: the proxy PROXY answered 302 to CONNECT shop.test:443',
    ],
    ['SSH-2.0\r\n', 'fail protocol explicit: the proxy PROXY: the server does not speak HTTP/1'],
    [
      'HTTP/1.1 200 X\r\n',
      'fail unreachable path: the proxy PROXY: the server closed the connection inside the head',
    ],
    ['', 'fail unreachable path: the proxy PROXY: the server closed the connection without an answer'],
    [
      'HTTP/1.1 200 X\r\n\r\nsurprise',
      'fail protocol explicit: the proxy PROXY answered 200 to CONNECT shop.test:443, and went on speaking',
    ],
    [
      'HTTP/1.1 200 X\r\n\r\n',
      'fail closed explicit: the peer closed the connection during the TLS handshake',
    ],
  ])('%j', async (answer, expected) => {
    expect(await said({ proxy: `http://127.0.0.1:${await answering(answer)}` })).toBe(expected);
  });

  test('it says nothing: there was no connection', async () => {
    const port = await tcpServer((socket) => socket.resume());
    expect(await said({ proxy: `http://127.0.0.1:${port}` }, 100)).toBe(
      'fail connect_timeout path: no connection within 100ms',
    );
  });
});

test.each([
  ['https://p:1', 'the proxy itself is spoken to in plain: write http://'],
  ['socks5://p:1', 'the URL must begin with http:// or https:// and a host'],
  ['http://p:1/x', 'a proxy has a host and a port, and no path'],
  ['http://u@p:1', 'the credentials of a proxy are user:password'],
  ['http://u:50%@p:1', 'the credentials of the proxy are not well escaped (write %25 for %)'],
  ['http://p:0', 'port 0 is out of range (1 to 65535)'],
])('%s is refused at load', (proxy, message) => {
  const parsed = http.settings.safeParse({ url: 'http://h/', proxy });
  expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
});

test('neither address nor unix goes with a proxy', () => {
  const problems = (settings: object): unknown =>
    http.settings
      .safeParse({ url: 'http://h/', proxy: 'http://p', ...settings })
      .error?.issues.map(({ path, message }) => [path.join('.'), message]);
  expect(problems({ address: 'h:1' })).toEqual([['address', 'address and proxy exclude each other']]);
  expect(problems({ unix: 'x' })).toEqual([['unix', 'unix and proxy exclude each other']]);
  expect(problems({})).toBeUndefined();
});
