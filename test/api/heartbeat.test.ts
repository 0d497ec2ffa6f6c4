import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { heartbeatRoute } from '../../src/api/heartbeat.ts';
import { ListenError } from '../../src/api/listen.ts';
import { type ApiServer, startServer } from '../../src/api/server.ts';
import { createTokens } from '../../src/api/tokens.ts';
import type { BeatReport } from '../../src/core/beat.ts';
import { createInbox } from '../../src/runtime/inbox.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { exchange, rawConnection } from '../support/raw-http.ts';
import { leftBehind } from '../support/resources.ts';
import { freePort } from '../support/real-server.ts';

const TOKEN = 'correct-horse-battery';
const NAMES = ['node-1', 'a b/c', 'Zürich ☃', '..', '%41', 'x'.repeat(200)];

const servers: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function receiver(limits: { requestMs?: number; connections?: number } = {}) {
  const clock = createFakeClock();
  const inbox = createInbox(clock);
  const tokens = createTokens();
  const reports: BeatReport[] = [];
  inbox.expect(NAMES.map((name) => ({ name, windowMs: 40_000 })));
  tokens.replace(new Map(NAMES.map((name) => [name, TOKEN])));
  const port = await freePort();
  const server = await startServer({
    listen: { host: '127.0.0.1', port },
    routes: heartbeatRoute({ tokens, take: inbox.take, onBeat: (report) => reports.push(report) }),
    onRefused: (report) => reports.push(report),
    onTrouble: (error) => {
      throw error;
    },
    limits,
  });
  servers.push(server);
  return {
    port,
    inbox,
    tokens,
    reports,
    clock,
    words: () => reports.map(({ result, why }) => `${result} ${why}`),
  };
}

function request(
  path: string,
  {
    token = TOKEN,
    body = '',
    method = 'POST',
    headers = '',
  }: { token?: string; body?: string; method?: string; headers?: string } = {},
): string {
  const length = Buffer.byteLength(body);
  return `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n${headers}content-length: ${length}\r\n\r\n${body}`;
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}
function bodyOf(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

describe('a beat', () => {
  test('its fields become facts, nested ones with dots; lists and nulls are counted', async () => {
    const { port, inbox, words } = await receiver();
    const body = JSON.stringify({
      load: 1.5,
      version: 'v7',
      ready: true,
      disk: { free: 3, of: { x: 9 } },
      list: [1],
      nothing: null,
      seq: 4,
      status: 'warn',
      message: 'disk\nis filling',
    });
    const answer = await exchange(port, request('/heartbeat/node-1', { body }));
    expect(statusOf(answer)).toBe(200);
    expect(bodyOf(answer)).toEqual({ accepted: true, dropped_fields: 2 });
    expect(inbox.look('node-1')?.last).toMatchObject({
      seq: 4,
      says: 'warn',
      message: 'disk is filling',
      facts: { load: 1.5, version: 'v7', ready: true, 'disk.free': 3, 'disk.of.x': 9 },
    });
    expect(words()).toEqual(['accepted new']);
  });

  test('an empty body is enough, with or without a length, and whatever it calls itself', async () => {
    const { port, words } = await receiver();
    const bare = `POST /heartbeat/node-1 HTTP/1.1\r\nhost: x\r\nauthorization: bearer ${TOKEN}\r\nconnection: close\r\n\r\n`;
    for (const sent of [
      bare,
      request('/heartbeat/node-1'),
      request('/heartbeat/node-1', { headers: 'content-type: application/json\r\n' }),
      request('/heartbeat/node-1', { headers: 'content-type: nonsense\r\n', body: '{"a":1}' }),
      request('/heartbeat/node-1', {
        headers: 'content-type: application/x-www-form-urlencoded\r\n',
        body: '{}',
      }),
      request('/heartbeat/node-1?x=1', { body: ' \n' }),
    ]) {
      expect(statusOf(await exchange(port, sent))).toBe(200);
    }
    expect(words()).toEqual(Array.from({ length: 6 }, () => 'accepted new'));
  });

  test('names are taken from the path, decoded once', async () => {
    const { port, words } = await receiver();
    for (const path of [
      '/heartbeat/a%20b%2Fc',
      '/heartbeat/a%20b/c',
      '/heartbeat/Z%C3%BCrich%20%E2%98%83',
      '/heartbeat/%2e%2e',
      '/heartbeat/..',
      '/heartbeat/%2541',
      `/heartbeat/${'x'.repeat(200)}`,
    ]) {
      expect(statusOf(await exchange(port, request(path))), path).toBe(200);
    }
    expect(new Set(words())).toEqual(new Set(['accepted new']));
  });

  test('a sequence that repeats or goes backwards is ignored, counted, and the sender is told', async () => {
    const { port, inbox, words, clock } = await receiver();
    const send = async (body: object): Promise<unknown> =>
      bodyOf(await exchange(port, request('/heartbeat/node-1', { body: JSON.stringify(body) })));
    expect(await send({ seq: 7, boot: 'a', load: 1 })).toEqual({ accepted: true });
    const first = inbox.look('node-1')?.last;
    clock.stall(5_000);
    expect(await send({ seq: 7, boot: 'a', load: 2 })).toEqual({
      accepted: false,
      why: 'seq 7 is not above 7',
    });
    expect(await send({ seq: 6, load: 2 })).toEqual({ accepted: false, why: 'seq 6 is not above 7' });
    expect(inbox.look('node-1')?.last).toBe(first);
    expect(await send({ load: 3 })).toEqual({ accepted: true });
    expect(await send({ seq: 7 })).toMatchObject({ accepted: false });
    expect(await send({ seq: 1, boot: 'b' })).toEqual({ accepted: true });
    expect(await send({ seq: 1, boot: 'b' })).toMatchObject({ accepted: false });
    // It was missed: whatever it counts from now on is taken.
    clock.stall(40_001);
    expect(await send({ seq: 0, boot: 'b' })).toEqual({ accepted: true });
    expect(words().filter((word) => word === 'ignored sequence')).toHaveLength(4);
  });

  test.each([
    ['text', 'the body is no JSON'],
    ['[1]', 'the body has to be a JSON object, or empty'],
    ['null', 'the body has to be a JSON object, or empty'],
    ['{"seq":"7"}', 'seq has to be a number'],
    ['{"seq":1e999}', 'seq has to be a number'],
    ['{"boot":{}}', 'boot has to be a text or a number'],
  ])('%s is told to who may send: %s', async (body, error) => {
    const { port, inbox, words } = await receiver();
    const answer = await exchange(port, request('/heartbeat/node-1', { body }));
    expect(statusOf(answer)).toBe(400);
    expect(bodyOf(answer)).toEqual({ error });
    expect(inbox.look('node-1')?.last).toBeUndefined();
    expect(words()).toEqual(['refused malformed']);
  });

  test('facts are bounded: how many, how deep, how long; no key does harm', async () => {
    const { port, inbox } = await receiver();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
    const deep = `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`;
    for (const body of [
      JSON.stringify(many),
      `{"d":${deep}}`,
      `{"long":"${'y'.repeat(10_000)}","${'k'.repeat(101)}":1}`,
      '{"__proto__":{"x":1},"constructor":2,"toString":"z"}',
    ]) {
      expect(statusOf(await exchange(port, request('/heartbeat/node-1', { body })))).toBe(200);
      const facts = inbox.look('node-1')!.last!.facts;
      expect(Object.keys(facts).length).toBeLessThanOrEqual(64);
      for (const value of Object.values(facts)) expect(String(value).length).toBeLessThanOrEqual(500);
    }
    expect(inbox.look('node-1')!.last!.facts).toMatchObject({ '__proto__.x': 1, constructor: 2 });
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});

describe('who may not', () => {
  test('a wrong token and an unknown name get the same bytes, whatever is sent with them', async () => {
    const { port, reports } = await receiver();
    const answers = new Set<string>();
    const huge = 'x'.repeat(15_000);
    for (const path of [
      '/heartbeat/node-1',
      '/heartbeat/nobody',
      '/heartbeat/',
      '/heartbeat/%zz',
      '/heartbeat/%C3',
    ]) {
      for (const token of [
        'wrong-horse-battery',
        '',
        `${TOKEN}x`,
        TOKEN.slice(1),
        TOKEN.toUpperCase(),
        'é',
      ]) {
        for (const body of ['', '{"seq":1}', 'no JSON', huge]) {
          answers.add(await exchange(port, request(path, { token, body })));
        }
      }
      const without = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
      answers.add(await exchange(port, without));
      const basic = without.replace('host: x', `host: x\r\nauthorization: Basic ${TOKEN}`);
      answers.add(await exchange(port, basic));
    }
    // The right token does not open another name.
    answers.add(await exchange(port, request('/heartbeat/nobody')));
    answers.add(await exchange(port, request('/heartbeat/NODE-1')));
    answers.add(await exchange(port, request('/heartbeat/node-1/')));
    expect(answers.size).toBe(1);
    const [answer] = answers;
    expect(statusOf(answer!)).toBe(401);
    expect(bodyOf(answer!)).toEqual({ error: 'unauthorized' });
    expect(new Set(reports.map(({ result, why, target }) => `${result} ${why} ${target}`))).toEqual(
      new Set(['refused unauthorized undefined']),
    );
  });

  test('is refused before the body: a stranger cannot learn of limits, nor keep us waiting', async () => {
    const { port } = await receiver();
    const { socket, ended } = await rawConnection(port);
    socket.write(
      request('/heartbeat/node-1', { token: 'wrong' }).replace('content-length: 0', 'content-length: 999999'),
    );
    expect(statusOf(await ended)).toBe(401);
    const chunked = await rawConnection(port);
    chunked.socket.write(
      request('/heartbeat/nobody').replace('content-length: 0', 'transfer-encoding: chunked') + '5\r\nhel',
    );
    expect(statusOf(await chunked.ended)).toBe(401);
  });

  test('gets one guess a connection, also when it sends many at once', async () => {
    const { port, reports } = await receiver();
    const guesses = Array.from({ length: 50 }, (_, i) =>
      request('/heartbeat/node-1', { token: `guess-${i}` }).replace('connection: close\r\n', ''),
    ).join('');
    const answer = await exchange(port, guesses);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(statusOf(answer)).toBe(401);
    expect(reports.length).toBeLessThanOrEqual(50);
  });

  test.each([
    ['GET', '/heartbeat/node-1'],
    ['HEAD', '/heartbeat/node-1'],
    ['PUT', '/heartbeat/node-1'],
    ['DELETE', '/heartbeat/node-1'],
    ['OPTIONS', '/heartbeat/node-1'],
    ['GET', '/heartbeat/nobody'],
    ['POST', '/'],
    ['POST', '/heartbeats/node-1'],
    ['POST', '/Heartbeat/node-1'],
    ['POST', '//heartbeat/node-1'],
    ['POST', '/%68eartbeat/node-1'],
    ['POST', '/x/../heartbeat/node-1'],
    ['POST', '/%zz'],
    ['GET', '/livez'],
  ])('%s %s: 404, the same for every name', async (method, path) => {
    const { port, inbox, words } = await receiver();
    const answer = await exchange(port, request(path, { method }));
    expect(statusOf(answer)).toBe(404);
    if (method !== 'HEAD') expect(bodyOf(answer)).toEqual({ error: 'not found' });
    expect(answer).not.toContain('node-1');
    expect(inbox.look('node-1')?.last).toBeUndefined();
    expect(words()).toEqual(['refused not_found']);
  });
});

describe('limits', () => {
  const big = 16 * 1_024 + 1;

  test('a body above 16KiB is refused by its length, and in chunks by what has come', async () => {
    const { port, inbox, words } = await receiver();
    const declared = await exchange(port, request('/heartbeat/node-1', { body: `"${'x'.repeat(big)}"` }));
    expect(statusOf(declared)).toBe(413);
    expect(bodyOf(declared)).toEqual({ error: 'a body has at most 16384 bytes' });
    const { socket, ended } = await rawConnection(port);
    socket.write(request('/heartbeat/node-1').replace('content-length: 0', 'transfer-encoding: chunked'));
    for (let i = 0; i < 40; i++) socket.write(`400\r\n${'x'.repeat(1_024)}\r\n`);
    expect(statusOf(await ended)).toBe(413);
    const fits = JSON.stringify({ a: 'x'.repeat(16 * 1_024 - 8) });
    expect(Buffer.byteLength(fits)).toBe(big - 1);
    expect(statusOf(await exchange(port, request('/heartbeat/node-1', { body: fits })))).toBe(200);
    expect(inbox.look('node-1')?.last).toBeDefined();
    expect(words()).toEqual(['refused too_large', 'refused too_large', 'accepted new']);
  });

  test('a head without end is cut off', async () => {
    const { port, words } = await receiver();
    expect(statusOf(await exchange(port, `POST /heartbeat/${'x'.repeat(20_000)} HTTP/1.1\r\n`))).toBe(400);
    expect(words()).toEqual(['refused too_large']);
  });

  test('who says nothing, or trickles a head or a body, is sent away', async () => {
    const { port, words } = await receiver({ requestMs: 100 });
    const silent = await rawConnection(port);
    const head = await rawConnection(port);
    head.socket.write('POST /heartbeat/node-1 HTTP/1.1\r\nhost: x\r\nx-a: ');
    const body = await rawConnection(port);
    body.socket.write(request('/heartbeat/node-1', { body: 'x'.repeat(50) }).slice(0, -45));
    const drip = setInterval(() => {
      for (const { socket } of [head, body]) socket.write('x');
    }, 10);
    expect(statusOf(await head.ended)).toBe(400);
    await body.ended;
    await silent.ended;
    clearInterval(drip);
    expect(words().filter((word) => word === 'refused slow').length).toBeGreaterThanOrEqual(2);
  });

  test.each([
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
    ['a length beside chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['a length beyond numbers', 'content-length: 99999999999999999999999\r\n\r\n{}'],
    ['a length below zero', 'content-length: -1\r\n\r\n{}'],
    ['chunks that are none', 'transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
    ['a compressed body', 'content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u001f\u008b\u0008\u0000'],
    ['a line break in a header', 'x-a: b\rauthorization: c\r\ncontent-length: 0\r\n\r\n'],
  ])('%s: 400, and no beat', async (_what, rest) => {
    const { port, inbox, words } = await receiver();
    const head = `POST /heartbeat/node-1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\nconnection: close\r\n`;
    expect(statusOf(await exchange(port, Buffer.from(`${head}${rest}`, 'latin1')))).toBe(400);
    expect(inbox.look('node-1')?.last).toBeUndefined();
    expect(words()).toEqual(['refused malformed']);
  });

  test('whatever is sent, no connection and no timer is left behind', async () => {
    const { port } = await receiver();
    const sent = [
      request('/heartbeat/node-1', { body: '{"a":1}' }),
      request('/heartbeat/node-1', { token: 'guess' }),
      request('/heartbeat/node-1', { body: 'x'.repeat(20_000) }),
      request('/heartbeat/node-1', { body: 'no JSON' }),
      request('/elsewhere', { method: 'GET' }),
      'CONNECT /heartbeat/node-1 HTTP/1.1\r\nhost: x\r\n\r\n',
      request('/heartbeat/node-1', { headers: 'upgrade: websocket\r\nexpect: 100-continue\r\n' }),
      'nonsense\r\n\r\n',
    ];
    const round = (): Promise<unknown> => Promise.all(sent.map((bytes) => exchange(port, bytes)));
    await round();
    const left = leftBehind();
    for (let i = 0; i < 50; i++) await round();
    await expect.poll(() => left.since()).toEqual({});
  });

  test('what is no HTTP, and what breaks off, is counted once', async () => {
    const { port, words } = await receiver();
    expect(statusOf(await exchange(port, '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'))).toBe(400);
    const { socket, ended } = await rawConnection(port);
    socket.end(request('/heartbeat/node-1', { body: '{"load":1}' }).slice(0, -3));
    await ended;
    expect(words()).toEqual(['refused malformed', 'refused malformed']);
  });

  test('past the most connections the oldest goes: those who only sit there keep nobody out', async () => {
    const { port, words } = await receiver({ connections: 10 });
    const sitting = [];
    for (let i = 0; i < 30; i++) sitting.push(await rawConnection(port));
    expect(statusOf(await exchange(port, request('/heartbeat/node-1')))).toBe(200);
    await Promise.all(sitting.slice(0, 20).map(({ ended }) => ended));
    // Made room for, not sent away for being slow.
    expect(words().filter((word) => word !== 'refused crowded')).toEqual(['accepted new']);
    expect(words().filter((word) => word === 'refused crowded')).toHaveLength(21);
    for (const { socket } of sitting) socket.destroy();
  });

  test('past the most connections a beat that is under way stays, however slow its body comes', async () => {
    const { port, words } = await receiver({ connections: 10 });
    const { socket, ended } = await rawConnection(port);
    const beat = request('/heartbeat/node-1', { body: '{"load":1}' });
    socket.write(beat.slice(0, -5));
    // The next connection's answer comes after the head of this one has been read.
    await exchange(port, request('/elsewhere', { method: 'GET' }));
    const sitting = [];
    for (let i = 0; i < 40; i++) sitting.push(await rawConnection(port));
    socket.write(beat.slice(-5));
    expect(statusOf(await ended)).toBe(200);
    expect(words()).toContain('accepted new');
    for (const { socket } of sitting) socket.destroy();
  });

  test('whose address has the most connections makes room, not its neighbour', async () => {
    const { port } = await receiver({ connections: 10 });
    const quiet = await rawConnection(port, '127.0.0.1', '127.0.0.2');
    const sitting = [];
    for (let i = 0; i < 40; i++) sitting.push(await rawConnection(port));
    quiet.socket.write(request('/heartbeat/node-1'));
    expect(statusOf(await quiet.ended)).toBe(200);
    for (const { socket } of sitting) socket.destroy();
  });

  test('a thousand beats at once are all taken', async () => {
    const { port, words } = await receiver();
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () =>
        exchange(port, request('/heartbeat/node-1', { body: '{"load":1}' })),
      ),
    );
    expect(answers.filter((answer) => statusOf(answer) === 200)).toHaveLength(1_000);
    expect(words().filter((word) => word === 'accepted new')).toHaveLength(1_000);
  });

  test('beats over one connection, one after the other and in one go', async () => {
    const { port, words } = await receiver();
    const kept = request('/heartbeat/node-1').replace('connection: close\r\n', '');
    const answer = await exchange(port, kept.repeat(5) + request('/heartbeat/node-1'));
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(6);
    expect(words()).toHaveLength(6);
  });
});

describe('the address', () => {
  test('in use, not ours, or no address at all: said in words', async () => {
    const { port } = await receiver();
    const start = (host: string, port: number) =>
      startServer({ listen: { host, port }, routes: () => {}, onRefused: () => {}, onTrouble: () => {} });
    await expect(start('127.0.0.1', port)).rejects.toThrow(
      new ListenError(`cannot listen on 127.0.0.1:${port}: the port is in use`),
    );
    await expect(start('192.0.2.1', port)).rejects.toThrow(
      new ListenError(`cannot listen on 192.0.2.1:${port}: this machine has no such address`),
    );
    await expect(start('no-such-host.invalid', port)).rejects.toThrow(
      /^cannot listen on no-such-host\.invalid/,
    );
  });

  test('closing lets go of connections at once', async () => {
    const { port } = await receiver();
    const idle = await rawConnection(port);
    const half = await rawConnection(port);
    half.socket.write('POST /heartbeat/node-1 HTTP/1.1\r\n');
    await servers.pop()!.close();
    await Promise.all([idle.ended, half.ended]);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === '::1'),
  );
  test.skipIf(!hasIpv6).each([
    ['::1', '::1', '::1'],
    ['::', '127.0.0.1', '127.0.0.1'],
    ['::', '::1', '::1'],
  ])('%s takes %s, and tells it as %s', async (listen, by, from) => {
    const { tokens, inbox } = await receiver();
    const port = await freePort();
    const reports: BeatReport[] = [];
    servers.push(
      await startServer({
        listen: { host: listen, port },
        routes: heartbeatRoute({ tokens, take: inbox.take, onBeat: (report) => reports.push(report) }),
        onRefused: () => {},
        onTrouble: () => {},
      }),
    );
    const { socket, ended } = await rawConnection(port, by);
    socket.write(request('/heartbeat/node-1'));
    expect(statusOf(await ended)).toBe(200);
    expect(reports).toEqual([{ result: 'accepted', why: 'new', target: 'node-1', from }]);
  });
});
