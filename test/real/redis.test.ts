import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redis } from '../../probes/redis/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { outlives } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';
import { verdict } from '../support/verdict.ts';

const found = findPrograms([{ program: 'redis-server', from: 'redis-server' }]);

async function server(cwd: string, settings: readonly string[] = []): Promise<RealServer> {
  const port = await freePort();
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', cwd, '--save', '', '--daemonize', 'no'];
  return realServer({ argv: [found![0], ...fixed, ...settings], port, cwd });
}

/** Commands in Redis's inline form; resolves once there are as many replies. */
function tell(port: number, ...lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.once('error', reject);
    socket.on('data', (part) => {
      heard += part.toString();
      if (heard.split('\r\n').length <= lines.length) return;
      socket.destroy();
      resolve(heard);
    });
    socket.write(lines.map((line) => `${line}\r\n`).join(''));
  });
}

async function ask(settings: object | string, timeoutMs = 10_000): Promise<string> {
  const attempt = await attemptOnce(redis, settings, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe.skipIf(!found)('a Redis by redis', () => {
  test('up, frozen, stopped and back', async () => {
    const mine = await server(temporaryDirectory());
    await mine.start();
    await outlives(mine, { redis: `127.0.0.1:${mine.port}` });
  });

  test('facts, a password, an ACL, a database, a unix socket', async () => {
    const directory = temporaryDirectory();
    const unix = join(directory, 'redis.sock');
    const mine = await server(directory, ['--unixsocket', unix, '--requirepass', 'right']);
    await mine.start();
    const address = `127.0.0.1:${mine.port}`;
    const attempt = await attemptOnce(redis, { address, password: 'right', database: 15 });
    expect(attempt.outcome).toMatchObject({ status: 'ok', message: 'PONG' });
    expect(attempt.outcome.facts).toMatchObject({
      role: 'master',
      connected_replicas: 0,
      mode: 'standalone',
    });
    expect(String(attempt.outcome.facts?.['version'])).toMatch(/^\d+\.\d+/);

    expect(await ask(address)).toBe('ok: alive, and wants authentication');
    expect(await ask({ unix, password: 'right' })).toBe('ok: PONG');
    expect(await ask({ address, password: 'wrong' })).toMatch(/^fail status explicit: WRONGPASS /);
    expect(await ask({ address, password: 'right', database: 99 })).toMatch(/DB index is out of range/);
    await tell(mine.port, 'AUTH right', 'ACL SETUSER jo on >secret +ping');
    expect(await ask({ address, username: 'jo', password: 'secret' })).toBe('ok: PONG');
  });

  test('a replica whose master is gone, and which is not to serve then', async () => {
    const gone = await freePort();
    const mine = await server(temporaryDirectory(), [
      '--replicaof',
      `127.0.0.1 ${gone}`,
      '--replica-serve-stale-data',
      'no',
    ]);
    await mine.start();
    expect(await ask(`127.0.0.1:${mine.port}`)).toMatch(/^fail not_serving explicit: MASTERDOWN /);
  });

  test('one that loads its data', async () => {
    const directory = temporaryDirectory();
    const before = await server(directory);
    await before.start();
    const keys = Array.from({ length: 2_000 }, (_, index) => `SET key:${index} value`);
    await tell(before.port, ...keys, 'SAVE');
    await before.stop();
    const slow = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
    const mine = await server(directory, slow);
    await mine.start();
    // It takes connections from the first moment on, and answers from time to time while it loads.
    await until('it to say that it loads', async () =>
      (await ask(`127.0.0.1:${mine.port}`)).startsWith('fail not_serving explicit: LOADING '),
    );
  });
});
