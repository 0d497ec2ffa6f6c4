import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { ask, onlyThese, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';

const found = findPrograms([
  { program: 'redis-server', from: 'redis-server' },
  { program: 'redis-cli', from: 'redis-tools' },
]);

const promised = promisify(execFile);

interface Redis extends RealServer {
  command(...words: string[]): Promise<string>;
}

async function redis(...settings: string[]): Promise<Redis> {
  const port = await freePort();
  const cwd = temporaryDirectory();
  const places = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', cwd];
  const server = realServer({ argv: [found![0], ...places, ...settings], port, cwd });
  await server.start();
  return { ...server, command: commands(port) };
}

function commands(port: number): Redis['command'] {
  return async (...words) => (await promised(found![1], ['-p', String(port), ...words])).stdout.trim();
}

/** `redis-server --sentinel` rewrites its file, and wants one. */
async function sentinel(masterPort: number): Promise<Redis> {
  const port = await freePort();
  const cwd = temporaryDirectory();
  const file = join(cwd, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${cwd}`,
    `sentinel monitor sessions 127.0.0.1 ${masterPort} 1`,
    'sentinel down-after-milliseconds sessions 500',
    'sentinel failover-timeout sessions 60000',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const server = realServer({ argv: [found![0], file, '--sentinel'], port, cwd });
  await server.start();
  return { ...server, command: commands(port) };
}

function asking(port: number, args: readonly string[] = [], env = {}): Promise<Outcome> {
  return ask('redis-replication.sh', args, { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port), ...env });
}

async function pair(): Promise<{ master: Redis; replica: Redis }> {
  const fast = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
  const master = await redis(...fast);
  const replica = await redis(...fast, '--replicaof', '127.0.0.1', String(master.port));
  await until('the replica to be online', async () => (await asking(master.port)).status === 'ok');
  await until('the link to be up', async () => (await asking(replica.port)).status === 'ok');
  return { master, replica };
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('redis-replication.sh', { timeout: 120_000 }, () => {
  test('a master and a replica; a link that breaks, a failover by hand', async () => {
    const { master, replica } = await pair();
    const first = await asking(master.port, ['--role', 'master']);
    expect(said(first)).toBe('ok: master: 1 replicas online');
    expect(first.facts).toEqual({ lag: expect.any(Number), silence: expect.any(Number), replicas: 1 });
    expect(said(await asking(replica.port, ['--role', 'replica']))).toBe(
      `ok: replica: linked to 127.0.0.1:${master.port}`,
    );
    expect(said(await asking(master.port, ['--replicas', '2']))).toBe(
      'fail: broken replication: 1 of 2 replicas online',
    );
    expect(said(await asking(replica.port, ['--role', 'master']))).toBe(
      'fail: this should be a master, and is a replica: it was failed over',
    );

    // Errors of other clients are counted in INFO under the names that we know refusals by.
    await master.command('CONFIG', 'SET', 'requirepass', 'secret');
    expect(said(await asking(master.port))).toMatch(/^void: the login was refused: NOAUTH/);
    expect(said(await asking(master.port, [], { REDISCLI_AUTH: 'wrong' }))).toMatch(
      /^void: the login was refused: /,
    );
    expect((await asking(master.port, [], { REDISCLI_AUTH: 'secret' })).status).toBe('ok');

    await replica.command('REPLICAOF', 'NO', 'ONE');
    expect(said(await asking(replica.port, ['--role', 'replica']))).toBe(
      'fail: this should be a replica, and is a master: it was failed over',
    );
    expect((await asking(replica.port, ['--standalone'])).status).toBe('ok');
  });

  test('a master that is killed, a replica that hangs', async () => {
    const { master, replica } = await pair();
    replica.freeze();
    await until(
      'the master to miss it',
      async () => Number((await asking(master.port)).facts?.['silence']) >= 2,
    );
    expect(said(await asking(master.port, ['--silence-warn', '2']))).toMatch(
      new RegExp(`^warn: nothing heard from replica 127.0.0.1:${replica.port} for \\d+ s$`),
    );
    await master.command('SET', 'filler', 'x'.repeat(100_000));
    expect(said(await asking(master.port, ['--lag-fail', '50k']))).toMatch(
      /^fail: replica .* is behind by 1\d{5} bytes/,
    );
    process.kill(replica.pid(), 'SIGCONT');
    await until(
      'it to catch up',
      async () => (await asking(master.port, ['--lag-warn', '50k', '--silence-warn', '2'])).status === 'ok',
    );

    await master.stop();
    await until('the link to be down', async () => (await asking(replica.port)).status === 'fail');
    expect(said(await asking(replica.port))).toMatch(
      new RegExp(
        `^fail: broken replication: the link to its master 127.0.0.1:${master.port} is down since \\d+ s$`,
      ),
    );
    expect(said(await asking(master.port))).toMatch(/^fail: no answer: Could not connect/);
  });

  test('a sentinel sees the master die, and fails over', async () => {
    const { master, replica } = await pair();
    const watcher = await sentinel(master.port);
    const seen = (...args: string[]): Promise<Outcome> =>
      asking(watcher.port, ['--role', 'sentinel', '--master', 'sessions', ...args]);
    await until(
      'the sentinel to find the replica',
      async () => (await seen('--sentinels', '0')).status === 'ok',
    );
    const fine = await seen('--sentinels', '0');
    expect(said(fine)).toBe(
      `ok: master sessions is 127.0.0.1:${master.port}, 1 replicas, 1 sentinels, the quorum is there`,
    );
    expect(fine.facts).toEqual({ replicas: 1, sentinels: 1, quorum: 1 });
    expect(said(await seen())).toBe('warn: 0 of 2 other sentinels');
    expect(said(await seen('--replicas', '3', '--sentinels', '0'))).toBe('warn: 1 of 3 replicas');
    expect(said(await asking(watcher.port, ['--role', 'sentinel']))).toBe(
      'fail: this sentinel knows no master mymaster',
    );
    expect(said(await asking(replica.port, ['--role', 'sentinel']))).toMatch(
      /^fail: this is no sentinel: ERR/,
    );

    await master.stop();
    await until('the sentinel to notice', async () => (await seen('--sentinels', '0')).status === 'fail');
    await until(
      'the replica to be the master',
      async () => (await asking(replica.port, ['--role', 'master', '--standalone'])).status === 'ok',
    );
    expect(said(await asking(replica.port, ['--role', 'replica']))).toMatch(/it was failed over$/);
  });
});

describe('redis-replication.sh, misused', () => {
  test.each([
    [['--rule', 'master'], 'there is no setting --rule'],
    [['--role', 'primary'], '--role is master, replica, any or sentinel, not primary'],
    [['--lag-warn', 'x'], 'x is not a size: a whole number, with k, M or G behind it'],
  ])('%j', async (args, message) => {
    expect(said(await ask('redis-replication.sh', args))).toBe(`void: ${message}`);
  });

  test('no redis-cli', async () => {
    const outcome = await ask('redis-replication.sh', [], { PATH: onlyThese('tr', 'sed', 'awk') });
    expect(said(outcome)).toMatch(/^void: there is no redis-cli here/);
  });
});
