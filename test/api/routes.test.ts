import { existsSync, linkSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Answer, type Route, fine, refused, serveRoutes } from '../../src/api/routes.ts';
import { type ApiServer, startServer } from '../../src/api/server.ts';
import { createTokens } from '../../src/api/tokens.ts';
import type { Endpoint } from '../../src/core/address.ts';
import type { BeatReport } from '../../src/core/beat.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { exchange } from '../support/raw-http.ts';
import { freePort } from '../support/real-server.ts';

const TOKEN = 'correct-horse-battery';

const servers: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/livez', open: true, answer: () => fine({ status: 'ok' }) },
  { method: 'GET', path: '/api/v1/echo/:name', answer: ({ params, query }) => fine({ params, query }) },
  { method: 'POST', path: '/api/v1/echo', answer: ({ body }) => fine({ body: body ?? null }) },
  { method: 'GET', path: '/api/v1/none', answer: () => refused(404, 'there is none', { near: 'one' }) },
  {
    method: 'GET',
    path: '/api/v1/bug',
    answer() {
      throw new Error('of ours');
    },
  },
];

async function serving(listen: Endpoint, routes = ROUTES, now = () => performance.now()) {
  const tokens = createTokens();
  tokens.replace(new Map([['api', TOKEN]]));
  const reports: BeatReport[] = [];
  const troubles: string[] = [];
  const onRefused = (report: BeatReport): void => void reports.push(report);
  const server = await startServer({
    listen,
    routes: serveRoutes({
      routes,
      listen,
      now,
      admits: (token) => tokens.admits('api', token),
      onRefused,
    }),
    onRefused,
    onTrouble: ({ message }) => void troubles.push(message),
  });
  servers.push(server);
  return { server, reports, troubles };
}

async function onLoopback(...how: readonly [routes?: readonly Route[], now?: () => number]) {
  const port = await freePort();
  const { reports, troubles } = await serving({ host: '127.0.0.1', port }, ...how);
  const ask = async (
    path: string,
    { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: object; body?: string } = {},
  ) => {
    const lines = Object.entries({ host: `localhost:${port}`, ...headers })
      .map(([key, value]) => `${key}: ${value}\r\n`)
      .join('');
    const bytes = await exchange(
      port,
      `${method} ${path} HTTP/1.1\r\n${lines}connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    const text = Buffer.from(bytes, 'latin1').toString('utf8');
    return {
      status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]),
      head: text.slice(0, text.indexOf('\r\n\r\n')),
      body: JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as unknown,
    };
  };
  return { ask, port, reports, troubles };
}

const authorized = { authorization: `Bearer ${TOKEN}` };

describe('on loopback', () => {
  test('a question is answered with JSON that nobody keeps', async () => {
    const { ask } = await onLoopback();
    const answer = await ask('/api/v1/echo/a%2Fb%20%E2%98%83?x=1&x=2&y=');
    expect(answer).toMatchObject({
      status: 200,
      body: { params: { name: 'a/b ☃' }, query: { x: ['1', '2'], y: '' } },
    });
    expect(answer.head).toContain('cache-control: no-store');
    expect(answer.head).not.toMatch(/access-control/i);
    expect(await ask('/api/v1/none')).toMatchObject({
      status: 404,
      body: { error: 'there is none', near: 'one' },
    });
  });

  test('the longest name that a target can have', async () => {
    const { ask } = await onLoopback();
    const name = '☃'.repeat(200);
    expect((await ask(`/api/v1/echo/${encodeURIComponent(name)}`)).body).toMatchObject({ params: { name } });
  });

  test('a change needs the token, in the Authorization header', async () => {
    const { ask, reports } = await onLoopback();
    const post = { method: 'POST', body: '{"a":1}' };
    expect(await ask('/api/v1/echo', { ...post, headers: authorized })).toMatchObject({
      status: 200,
      body: { body: { a: 1 } },
    });
    for (const headers of [
      {},
      { cookie: `token=${TOKEN}` },
      { 'x-token': TOKEN },
      { authorization: TOKEN },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${TOKEN}x` },
    ]) {
      expect((await ask(`/api/v1/echo?token=${TOKEN}`, { ...post, headers })).status).toBe(401);
    }
    expect(reports.map(({ why }) => why)).toEqual(Array.from({ length: 6 }, () => 'unauthorized'));
  });

  test('what a browser asks for beforehand is not there', async () => {
    const { ask } = await onLoopback();
    const preflight = { method: 'OPTIONS', headers: { origin: 'http://evil.example' } };
    expect((await ask('/api/v1/echo', preflight)).status).toBe(404);
  });

  test('a page of another name reads nothing, but whether we live', async () => {
    const { ask } = await onLoopback();
    const headers = { host: 'evil.example' };
    expect((await ask('/api/v1/echo/x', { headers })).status).toBe(403);
    expect((await ask('/livez', { headers })).status).toBe(200);
  });

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site', ...authorized }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://status.example' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ origin: 'http://localhost:1' }, 403],
    [{ origin: 'null' }, 403],
  ])('a browser that asks with %j', async (headers, status) => {
    const { ask } = await onLoopback();
    expect((await ask('/api/v1/echo/x', { headers })).status).toBe(status);
  });

  test('what is too long, no HTTP, or without a Host is refused in words', async () => {
    const { port } = await onLoopback();
    for (const [request, error] of [
      [
        `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(9_000)}\r\n\r\n`,
        'the head of a request has at most 8192 bytes',
      ],
      ['nonsense\r\n\r\n', 'this is no HTTP'],
      ['GET /api/v1/echo/x HTTP/1.1\r\n\r\n', 'a request needs a Host header'],
    ] as const) {
      const answer = await exchange(port, request);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain(JSON.stringify({ error }));
    }
  });

  test('a body that is no JSON, and a bug of ours', async () => {
    const { ask, troubles } = await onLoopback();
    expect(await ask('/api/v1/echo', { method: 'POST', headers: authorized, body: '{' })).toMatchObject({
      status: 400,
      body: { error: 'the body is no JSON' },
    });
    expect(await ask('/api/v1/bug')).toMatchObject({ status: 500, body: { error: 'our own trouble' } });
    expect(troubles).toEqual(['of ours']);
  });
});

describe('what answers cost', () => {
  /** An agent of which each answer takes 50 ms. */
  async function dear() {
    const clock = createFakeClock();
    let made = 0;
    const answer = (): Answer => {
      clock.stall(50);
      return fine({ made: ++made });
    };
    const agent = await onLoopback(
      [
        { method: 'GET', path: '/api/v1/dear', answer },
        { method: 'POST', path: '/api/v1/change', answer: () => fine({}) },
        { method: 'GET', path: '/livez', open: true, answer: () => fine({}) },
      ],
      clock.now,
    );
    return { ...agent, clock };
  }

  test('one is shared by all who ask soon, until something changes', async () => {
    const { ask, clock } = await dear();
    const all = await Promise.all(Array.from({ length: 20 }, async () => await ask('/api/v1/dear')));
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => ({ made: 1 })));
    expect(all[19]!.head).toContain('content-type: application/json; charset=utf-8');
    clock.stall(999);
    expect((await ask('/api/v1/dear')).body).toEqual({ made: 1 });
    clock.stall(1);
    expect((await ask('/api/v1/dear')).body).toEqual({ made: 2 });
    await ask('/api/v1/change', { method: 'POST', headers: authorized });
    expect((await ask('/api/v1/dear')).body).toEqual({ made: 3 });
  });

  test('all together take a tenth of the time; those with the token, and whether we live, are answered', async () => {
    const { ask, clock, reports } = await dear();
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await ask(`/api/v1/dear?${i}`)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 503]);
    const refusal = await ask('/api/v1/dear?x');
    expect(refusal).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('token') as string },
    });
    expect(refusal.head).toMatch(/\r\nretry-after: 1(\r|$)/);
    expect(reports.at(-1)).toMatchObject({ result: 'refused', why: 'busy' });
    expect((await ask('/livez')).status).toBe(200);
    expect((await ask('/api/v1/dear?x', { headers: authorized })).status).toBe(200);
    let answered = 0;
    for (let i = 0; i < 1_000; i++) {
      clock.stall(10);
      if ((await ask(`/api/v1/dear?again=${i}`)).status === 200) answered++;
    }
    // Ten seconds, of which each answer took 50 ms, and what the answers took besides.
    expect(answered).toBeGreaterThanOrEqual(18);
    expect(answered).toBeLessThanOrEqual(23);
  });
});

describe('on a unix socket', () => {
  function path(): string {
    return join(mkdtempSync(join(tmpdir(), 'vitald-')), 'api.sock');
  }
  async function statusOver(socketPath: string): Promise<number | undefined> {
    return await new Promise((resolve, reject) => {
      request({ socketPath, path: '/api/v1/echo/x', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  }

  test('it is for its owner alone, and gone with the server', async () => {
    const socket = path();
    const { server } = await serving({ socket });
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await statusOver(socket)).toBe(200);
    await server.close();
    expect(existsSync(socket)).toBe(false);
  });

  test('what a killed agent has left is no obstacle', async () => {
    const socket = path();
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${socket}.dead`, resolve));
    linkSync(`${socket}.dead`, socket);
    await new Promise((resolve) => dead.close(resolve));
    await serving({ socket });
    expect(await statusOver(socket)).toBe(200);
  });

  test.each([
    [
      'somebody listens there',
      async (socket: string) => void (await serving({ socket })),
      'somebody listens there already',
    ],
    [
      'a file is there',
      async (socket: string) => writeFileSync(socket, ''),
      'there is a file that is no socket',
    ],
  ])('%s: it is refused, and left alone', async (_what, prepare, why) => {
    const socket = path();
    await prepare(socket);
    await expect(serving({ socket })).rejects.toThrow(`cannot listen on unix:${socket}: ${why}`);
    expect(existsSync(socket)).toBe(true);
  });

  test('there is no such directory', async () => {
    await expect(serving({ socket: '/nonexistent/a.sock' })).rejects.toThrow(
      'cannot listen on unix:/nonexistent/a.sock: there is no such directory',
    );
  });
});
