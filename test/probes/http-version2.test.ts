import {
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  createSecureServer,
  createServer,
} from 'node:http2';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { answering, serve } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';
import { eventually } from '../support/eventually.ts';

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (stream: ServerHttp2Stream, asked: Asked) => void;

const asked: Asked[] = [];
afterEach(() => void asked.splice(0));

/** Writes down what is asked, and answers it so. */
function answers(answer: Answer) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      asked.push({ headers, body: Buffer.concat(parts).toString() });
      answer(stream, asked.at(-1)!);
    });
  };
}

const ready: Answer = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' });
  stream.end('ready');
};

/** Node's own HTTP/2 server over cleartext; its URL and its connections. */
async function server(answer: Answer = ready): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const listening = createServer();
  listening.on('connection', (socket: Socket) => sockets.push(socket));
  listening.on('session', (session) => session.on('error', () => {}));
  listening.on('stream', answers(answer));
  return { url: `http://127.0.0.1:${await serve(listening)}`, sockets };
}

async function judged(settings: object, timeoutMs?: number): Promise<string> {
  const attempt = await attemptOnce(http, { version: 2, ...settings }, timeoutMs ? { timeoutMs } : {});
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe('version 2', () => {
  test('an answer, judged like any other', async () => {
    const { url } = await server();
    expect(await judged({ url, expect: { body: '^ready$', headers: { 'Content-Type': '^text/' } } })).toBe(
      'ok: status 200',
    );
    expect(await judged({ url, expect: { status: 204 } })).toBe('fail status explicit: status 200');
    expect(await judged({ url, expect: { body: 'green' } })).toMatch(/^fail mismatch explicit/);
  });

  test('what is sent', async () => {
    const { url } = await server();
    await judged({
      url: `${url}/a?b=\u00fc#c`,
      headers: { 'X-Token': ' t ', Host: 'api.internal', TE: 'trailers' },
    });
    expect(asked[0]!.headers).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'api.internal',
      ':path': '/a?b=%C3%BC',
      'x-token': 't',
      te: 'trailers',
      accept: '*/*',
    });
    expect(asked[0]!.headers['user-agent']).toMatch(/^vitald\//);
    for (const name of ['host', 'connection', 'content-length'])
      expect(asked[0]!.headers[name]).toBeUndefined();
    await judged({ url, auth: { bearer: 'x' } });
    expect(asked[1]!.headers).toMatchObject({
      ':authority': url.slice(7),
      ':path': '/',
      authorization: 'Bearer x',
    });
  });

  test('a body, with its length', async () => {
    const { url } = await server();
    const body = 'g\u00fcnstig '.repeat(20_000);
    expect(await judged({ url, method: 'POST', body })).toBe('ok: status 200');
    expect(asked[0]!.body).toBe(body);
    expect(asked[0]!.headers['content-length']).toBe(String(Buffer.byteLength(body)));
    await judged({ url, method: 'PUT', body: { json: { a: 1 } } });
    expect(asked[1]).toMatchObject({ body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    await judged({ url, method: 'POST' });
    expect(asked[2]!.headers['content-length']).toBe('0');
  });

  test('redirects, decompression, a limit on the body, JSON', async () => {
    const { url } = await server((stream, { headers }) => {
      const path = headers[':path'];
      if (path === '/') stream.respond({ ':status': 302, location: '/large' }, { endStream: true });
      else {
        stream.respond({ ':status': 200, 'content-encoding': 'gzip' });
        stream.end(gzipSync(`{"status":"green","fill":"${'x'.repeat(50_000)}"}`));
      }
    });
    const settings = { url, redirects: 1, decompress: true };
    expect(await judged({ ...settings, expect: { cel: 'json.status == "green"' } })).toMatch(
      /^ok: status 200/,
    );
    expect(asked[1]!.headers['accept-encoding']).toBe('gzip, deflate, br');
    expect(await judged({ ...settings, max_body: '1KiB', expect: { body: 'green' } })).toMatch(
      /^fail too_large explicit/,
    );
  });

  test('a server of HTTP/1', async () => {
    const port = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await judged({ url: `http://127.0.0.1:${port}` })).toBe(
      'fail protocol explicit: the server does not speak HTTP/2, it sounds like HTTP/1',
    );
  });

  test('silence', async () => {
    const { url } = await server(() => {});
    expect(await judged({ url }, 200)).toBe('fail timeout silent: no answer within 200ms');
  });
});

describe('connection: reuse', () => {
  test('over one connection, until that is dead', async () => {
    const { url, sockets } = await server();
    const settings = http.settings.parse({ url, version: 2, connection: 'reuse', expect: { body: 'ready' } });
    const again = async (): Promise<string> => {
      const kept = { ...http, settings: { parse: () => settings } as unknown as typeof http.settings };
      return verdict(await attemptOnce(kept, {}));
    };
    for (let run = 0; run < 4; run++) expect(await again()).toBe('ok');
    expect(sockets).toHaveLength(1);
    sockets[0]!.destroy();
    expect(await again()).toBe('ok');
    expect(sockets).toHaveLength(2);
    await eventually(() => expect(sockets[0]!.destroyed).toBe(true));
  });
});

const problem = opensslProblem();
// oxlint-disable-next-line no-console
if (problem) console.warn(`http-version2.test.ts skips TLS: ${problem}`);

describe.skipIf(problem)('over TLS', () => {
  test('h2 is agreed on by ALPN', async () => {
    const ca = createAuthority();
    const own = ca.issue('web', 'IP:127.0.0.1');
    const listening = createSecureServer({ ...own, allowHTTP1: true });
    const protocols: unknown[] = [];
    listening.on('session', (session) => protocols.push(session.alpnProtocol));
    listening.on('stream', answers(ready));
    const url = `https://127.0.0.1:${await serve(listening)}`;
    const tls = { ca: ca.certFile };
    expect(await judged({ url, tls, expect: { body: 'ready' } })).toBe('ok: status 200');
    expect(protocols).toEqual(['h2']);
    expect(asked[0]!.headers[':scheme']).toBe('https');
    ca.remove();
  });
});

test.each([
  [{ version: 3 }, 'expected 1.1 or 2'],
  [{ version: 2, headers: { Connection: 'close' } }, 'Connection belongs to HTTP/1, and version is 2'],
  [{ version: 2, headers: { upgrade: 'x' } }, 'upgrade belongs to HTTP/1, and version is 2'],
  [{ version: 2, headers: { te: 'gzip' } }, 'over HTTP/2 te can only be trailers'],
  [{ version: 2, tls: { alpn: 'http/1.1' } }, 'version 2 needs h2 to be offered'],
  [
    { version: 2, proxy: 'http://p:1' },
    'HTTP/2 goes through a proxy inside of a tunnel alone, to an https URL',
  ],
])('%j is refused at load: %s', (settings, message) => {
  const parsed = http.settings.safeParse({ url: 'http://h/', ...settings });
  expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
});

test.each([['1.1'], [1.1], ['2'], [2]])('version %j is taken', (version) =>
  expect(http.settings.safeParse({ url: 'http://h/', version }).success).toBe(true),
);
