import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { answering, serve } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

interface Hop {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server that redirects as the table says (path -> status, location), else answers 200; what it was asked. */
async function redirecting(
  table: Readonly<Record<string, readonly [status: number, location?: string]>>,
): Promise<{ url: string; hops: Hop[] }> {
  const hops: Hop[] = [];
  const port = await serve(
    createServer(({ method, url = '', headers }, answer: ServerResponse) => {
      hops.push({ line: `${method} ${url}`, headers });
      const [status, location] = table[url] ?? [200];
      answer.writeHead(status, location === undefined ? {} : { location }).end('x');
    }),
  );
  return { url: `http://127.0.0.1:${port}`, hops };
}

const CHAIN = { '/0': [302, '/1'], '/1': [301, '2'], '/2': [307, './3'] } as const;

describe('how many', () => {
  test.each([
    [0, 'fail status explicit', 1],
    [1, 'fail protocol explicit', 2],
    [2, 'fail protocol explicit', 3],
    [3, 'ok', 4],
    [20, 'ok', 4],
  ])('redirects: %i over a chain of three -> %s after %i requests', async (redirects, expected, asked) => {
    const { url, hops } = await redirecting(CHAIN);
    expect(verdict(await attemptOnce(http, { url: `${url}/0`, redirects }))).toBe(expected);
    expect(hops).toHaveLength(asked);
  });

  test('a loop ends at the bound', async () => {
    const { url, hops } = await redirecting({ '/a': [302, '/b'], '/b': [302, '/a'] });
    const attempt = await attemptOnce(http, { url: `${url}/a`, redirects: 5 });
    expect([verdict(attempt), attempt.outcome.message]).toEqual([
      'fail protocol explicit',
      'more than 5 redirects',
    ]);
    expect(hops).toHaveLength(6);
  });

  test('one that is not followed is judged by expect.status', async () => {
    const { url } = await redirecting({ '/': [302, '/x'] });
    expect(verdict(await attemptOnce(http, { url: `${url}/`, expect: { status: 302 } }))).toBe('ok');
  });
});

describe('where to', () => {
  test.each([
    ['without a location', [302], 'fail status explicit', 'status 302'],
    ['that has no such meaning', [300, '/x'], 'fail status explicit', 'status 300'],
    [
      'to what is not a URL',
      [302, 'http://['],
      'fail protocol explicit',
      'the redirect leads to what is not a URL',
    ],
    ['away from http', [302, 'ftp://h/'], 'fail protocol explicit', 'the redirect leads away from http'],
  ] as const)('a redirect %s: %j -> %s', async (_what, [status, location], expected, message) => {
    const { url } = await redirecting({ '/': location === undefined ? [status] : [status, location] });
    const attempt = await attemptOnce(http, { url: `${url}/`, redirects: 3 });
    expect([verdict(attempt), attempt.outcome.message]).toEqual([expected, message]);
  });

  test('a location beyond ASCII', async () => {
    const port = await answering('HTTP/1.1 302 X\r\nLocation: /\u00fc\r\nContent-Length: 0\r\n\r\n');
    const { url, hops } = await redirecting({});
    const elsewhere = await answering(
      `HTTP/1.1 302 X\r\nLocation: ${url}/\u00fc\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(verdict(await attemptOnce(http, { url: `http://127.0.0.1:${port}/` }))).toBe(
      'fail status explicit',
    );
    expect(verdict(await attemptOnce(http, { url: `http://127.0.0.1:${elsewhere}/`, redirects: 1 }))).toBe(
      'ok',
    );
    expect(hops.map(({ line }) => line)).toEqual(['GET /%C3%BC']);
  });

  test('the message says which server answered in the end', async () => {
    const end = await redirecting({});
    const { url } = await redirecting({ '/': [302, `${end.url}/x`] });
    const { outcome } = await attemptOnce(http, { url: `${url}/`, redirects: 1 });
    expect(outcome.message).toBe(`status 200 from ${new URL(end.url).host}`);
  });
});

describe('what goes along', () => {
  const settings = {
    redirects: 3,
    method: 'POST',
    body: { json: {} },
    auth: { bearer: 't' },
    headers: { cookie: 'c=1', host: 'virtual', 'x-own': '1' },
  };

  test('within one origin everything stays', async () => {
    const { url, hops } = await redirecting({ '/': [307, '/x'] });
    await attemptOnce(http, { url: `${url}/`, ...settings });
    expect(hops.map(({ line }) => line)).toEqual(['POST /', 'POST /x']);
    expect(hops[1]!.headers).toEqual(hops[0]!.headers);
  });

  test('another origin learns no credentials, cookies or host, nor does the first one after it', async () => {
    const home = await redirecting({});
    const away = await redirecting({ '/x': [308, `${home.url}/back`] });
    const { url, hops } = await redirecting({ '/': [307, `${away.url}/x`] });
    await attemptOnce(http, { url: `${url}/`, ...settings });
    expect(hops[0]!.headers).toMatchObject({ authorization: 'Bearer t', cookie: 'c=1', host: 'virtual' });
    for (const { hops: others, url: own } of [away, home]) {
      expect(others).toHaveLength(1);
      expect(others[0]!.headers).not.toHaveProperty('authorization');
      expect(others[0]!.headers).not.toHaveProperty('cookie');
      expect(others[0]!.headers).toMatchObject({ host: new URL(own).host, 'x-own': '1' });
    }
  });

  test('a POST that becomes a GET leaves its body behind', async () => {
    const { url, hops } = await redirecting({ '/': [303, '/x'] });
    await attemptOnce(http, { url: `${url}/`, ...settings });
    expect(hops.map(({ line }) => line)).toEqual(['POST /', 'GET /x']);
    expect(hops[1]!.headers).not.toHaveProperty('content-length');
    expect(hops[1]!.headers).not.toHaveProperty('content-type');
  });

  test('`address` holds for the own origin alone', async () => {
    const away = await redirecting({});
    const { url, hops } = await redirecting({ '/': [302, '/again'], '/again': [302, `${away.url}/x`] });
    const attempt = await attemptOnce(http, {
      url: 'http://never.invalid/',
      address: new URL(url).host,
      redirects: 2,
    });
    expect(verdict(attempt)).toBe('ok');
    expect(hops.map(({ line, headers }) => `${line} ${headers.host}`)).toEqual([
      'GET / never.invalid',
      'GET /again never.invalid',
    ]);
    expect(away.hops).toHaveLength(1);
  });

  test('all hops share one timeout', async () => {
    const { url } = await redirecting({ '/': [302, '/x'] });
    const silent = await serve(createServer(() => {}));
    const far = await redirecting({ '/': [302, `http://127.0.0.1:${silent}/`] });
    const attempt = await attemptOnce(http, { url: `${far.url}/`, redirects: 1 }, { timeoutMs: 150 });
    expect(verdict(attempt)).toBe('fail timeout silent');
    expect(verdict(await attemptOnce(http, { url: `${url}/`, redirects: 1 }))).toBe('ok');
  });
});
