import { type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { redis } from '../../probes/redis/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { reset } from '../support/reset.ts';
import { closedPort, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const INFO_SERVER = '# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nuptime_in_seconds:61\r\n';
const INFO_REPLICATION = '# Replication\r\nrole:master\r\nconnected_slaves:2\r\n';
const INFOS = bulk(INFO_SERVER) + bulk(INFO_REPLICATION);

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** Waits for the last command that is sent, and says this. */
function saying(...parts: (string | Buffer)[]): (socket: Socket) => void {
  return (socket) => {
    socket.setNoDelay(true);
    socket.once('data', () => {
      const next = (): void => {
        const part = parts.shift();
        if (part !== undefined) socket.write(part, () => setTimeout(next, 1));
      };
      next();
    });
  };
}

async function judged(serve: (socket: Socket) => void, settings = {}, timeoutMs = 10_000): Promise<string> {
  const address = `127.0.0.1:${await tcpServer(serve)}`;
  const attempt = await attemptOnce(redis, { address, ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

test('a server that serves: PONG, and facts from INFO', async () => {
  const attempt = await attemptOnce(redis, `127.0.0.1:${await tcpServer(saying(`+PONG\r\n${INFOS}`))}`);
  expect(attempt.outcome).toEqual({
    status: 'ok',
    message: 'PONG',
    facts: { version: '7.0.15', mode: 'standalone', uptime_s: 61, role: 'master', connected_replicas: 2 },
  });
});

test('what is sent, as it is on the wire, and what the trace tells of it', async () => {
  let received = '';
  const port = await tcpServer((socket) =>
    socket.on('data', (part) => {
      received += part.toString();
      if (received.endsWith('PING\r\n')) socket.write('+OK\r\n+OK\r\n+PONG\r\n');
    }),
  );
  const trace: TraceEntry[] = [];
  const settings = {
    address: `127.0.0.1:${port}`,
    username: 'jo',
    password: 'süß\r\n1',
    database: 3,
    info: false,
  };
  const { outcome } = await attemptOnce(redis, settings, { onTrace: (entry) => trace.push(entry) });
  expect(outcome).toEqual({ status: 'ok', message: 'PONG', facts: {} });
  expect(received).toBe(
    '*3\r\n$4\r\nAUTH\r\n$2\r\njo\r\n$8\r\nsüß\r\n1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nPING\r\n',
  );
  expect(trace.filter(({ kind }) => kind !== 'note')).toEqual([
    { kind: 'sent', what: 'redis', text: 'AUTH jo ***' },
    { kind: 'sent', what: 'redis', text: 'SELECT 3' },
    { kind: 'sent', what: 'redis', text: 'PING' },
    { kind: 'received', what: 'AUTH jo ***', text: 'OK' },
    { kind: 'received', what: 'SELECT 3', text: 'OK' },
    { kind: 'received', what: 'PING', text: 'PONG' },
    { kind: 'rule', rule: 'ping', passed: true, value: 'PONG' },
  ]);
});

describe('what the server says', () => {
  const bytes = Buffer.from(`+PONG\r\n${INFOS}`);
  test.each([
    ['byte by byte', [...bytes].map((byte) => Buffer.of(byte)), 'ok: PONG'],
    ['PONG as a bulk string', [`$4\r\nPONG\r\n${INFOS}`], 'ok: PONG'],
    ['no right to INFO', ['+PONG\r\n-NOPERM no\r\n-NOPERM no\r\n'], 'ok: PONG'],
    ['an empty INFO', ['+PONG\r\n$-1\r\n$0\r\n\r\n'], 'ok: PONG'],
    ['wants authentication', ['-NOAUTH Authentication required.\r\n'], 'ok: alive, and wants authentication'],
    ['loads', ['-LOADING Redis is loading\r\n'], 'fail not_serving explicit: LOADING Redis is loading'],
    [
      'a replica without its master',
      ['-MASTERDOWN Link with MASTER is down\r\n'],
      'fail not_serving explicit: MASTERDOWN Link with MASTER is down',
    ],
    ['a script runs', ['-BUSY Redis is busy\r\n'], 'fail not_serving explicit: BUSY Redis is busy'],
    ['cannot save', ['-MISCONF errors\r\n'], 'fail not_serving explicit: MISCONF errors'],
    ['any other error', ['-ERR unknown command\r\n'], 'fail status explicit: ERR unknown command'],
    ['another word', ['+PANG\r\n'], 'fail protocol explicit: PING is answered by "PANG"'],
  ])('%s', async (_what, parts, expected) => {
    expect(await judged(saying(...parts))).toBe(expected);
  });

  test('errors of AUTH and SELECT decide', async () => {
    const password = { password: 'p' };
    expect(await judged(saying('-WRONGPASS invalid\r\n-NOAUTH x\r\n'), password)).toBe(
      'fail status explicit: WRONGPASS invalid',
    );
    expect(await judged(saying('-LOADING x\r\n'), password)).toBe('fail not_serving explicit: LOADING x');
    expect(await judged(saying('-ERR DB index is out of range\r\n+PONG\r\n'), { database: 99 })).toBe(
      'fail status explicit: ERR DB index is out of range',
    );
    expect(await judged(saying('-NOAUTH x\r\n-NOAUTH x\r\n'), { database: 1 })).toBe(
      'ok: alive, and wants authentication',
    );
  });

  test('a refusal that comes unasked', async () => {
    const full = (socket: Socket): void => void socket.end('-ERR max number of clients reached\r\n');
    expect(await judged(full)).toBe('fail status explicit: ERR max number of clients reached');
  });
});

describe('peers that are no Redis, or break off', () => {
  test.each([
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an SSH server', 'SSH-2.0-OpenSSH\r\n'],
    ['an array', '*1\r\n+PONG\r\n'],
    ['a line without an end', `+${'x'.repeat(5_000)}`],
    ['a bulk length that is none', '$4x\r\nPONG\r\n'],
    ['a bulk that is longer than it says', '+PONG\r\n$1\r\nabc\r\n'],
    ['binary', Buffer.alloc(100, 0xff)],
  ])('%s', async (_what, said) => {
    expect(await judged(saying(said))).toMatch(/^fail protocol explicit: this is not Redis; it says "/);
  });

  test('a bulk above the limit is not waited for', async () => {
    expect(await judged(saying('$999999999\r\n'))).toMatch(/^fail too_large explicit/);
    expect(await judged(saying('+PONG\r\n$65600\r\nabc'))).toMatch(/^fail too_large explicit/);
  });

  test.each([
    ['closes without a word', (socket: Socket) => void socket.end(), 'fail closed explicit'],
    [
      'closes in the middle',
      (socket: Socket) => void socket.once('data', () => socket.end('+PO')),
      'fail closed explicit',
    ],
    ['resets', (socket: Socket) => void socket.once('data', () => reset(socket)), 'fail reset explicit'],
    [
      'closes over INFO',
      (socket: Socket) => void socket.once('data', () => socket.end('+PONG\r\n')),
      'ok: PONG',
    ],
    [
      'is silent over INFO',
      (socket: Socket) => void socket.once('data', () => socket.write('+PONG\r\n')),
      'ok: PONG',
    ],
    [
      'stops inside INFO',
      (socket: Socket) => void socket.once('data', () => socket.write(`+PONG\r\n${INFOS.slice(0, -5)}`)),
      'ok: PONG',
    ],
  ])('%s', async (_what, serve, expected) => {
    expect(await judged(serve)).toContain(expected);
  });

  test('nobody listens', async () => {
    expect(verdict(await attemptOnce(redis, `127.0.0.1:${await closedPort()}`))).toBe(
      'fail refused explicit',
    );
  });

  test('silence, and a reply that never ends', async () => {
    expect(await judged(() => {}, {}, 100)).toBe('fail timeout silent: no answer within 100ms');
    expect(await judged(saying('$100\r\nabc'), {}, 100)).toBe(
      'fail timeout silent: the answer was not complete within 100ms',
    );
  });

  test('after the deadline the connection is gone', async () => {
    let gone: () => void;
    const closed = new Promise<void>((resolve) => (gone = resolve));
    await judged((socket) => socket.on('close', () => gone()).on('error', () => {}), {}, 50);
    await closed;
  });
});
