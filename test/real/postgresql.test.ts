import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { postgres as probe } from '../../probes/postgres/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { REFUSED, SILENT, askOnce, isFrozenThenStopped, outlives, watch } from '../support/incidents.ts';
import { type ClusterOptions, cluster } from '../support/postgresql.ts';
import { findPrograms, postgresqlDirectories } from '../support/programs.ts';
import { rawConnection } from '../support/raw-http.ts';
import { until, wake } from '../support/real-server.ts';
import { verdict } from '../support/verdict.ts';

/**
 * A StartupMessage: its length, protocol 3.0, the user. A server that takes logins answers with R (an authentication
 * request), one that is starting or stopping with E. All of it is ASCII.
 */
const HELLO = '\0\0\0\x17\0\x03\0\0user\0postgres\0\0';

const alsoIn = postgresqlDirectories();

const found = findPrograms([
  { program: 'initdb', from: 'postgresql', alsoIn },
  { program: 'postgres', from: 'postgresql', alsoIn },
]);

const own = (options: Partial<ClusterOptions> = {}) =>
  cluster({ initdb: found![0], postgres: found![1], ...options });

describe.skipIf(!found)('PostgreSQL by tcp', () => {
  test('up, frozen, stopped and back', async () => {
    const server = await own();
    await server.start();
    const address = `127.0.0.1:${server.port}`;
    const dialogue = { tcp: { address, send: HELLO, expect: '^R' } };
    const watching = await watch({ probe: dialogue, mend: wake(server) });
    const up = await watching.reaches('up');
    expect(
      await askOnce({ connect: { tcp: address }, dialogue, tls: { tcp: { address, tls: true } } }),
    ).toMatchObject({
      connect: { probe: 'tcp', status: 'ok', reason: null, class: null },
      dialogue: { status: 'ok' },
      tls: { status: 'fail', class: 'explicit' },
    });

    await isFrozenThenStopped(watching, server, up);
    await watching.ends([SILENT, REFUSED]);
  });
});

describe.skipIf(!found)('PostgreSQL by postgres', () => {
  const ask = async (settings: object | string): Promise<string> => {
    const attempt = await attemptOnce(probe, settings, { timeoutMs: 10_000 });
    return `${verdict(attempt)}: ${attempt.outcome.message}`;
  };
  const authority = opensslProblem() ? undefined : createAuthority();
  afterAll(() => authority?.remove());

  test('up, frozen, stopped and back, by a query', async () => {
    const server = await own();
    await server.start();
    const settings = { address: `127.0.0.1:${server.port}`, user: 'postgres', query: 'SELECT 7 AS lag' };
    await outlives(server, { postgres: settings });
  });

  test.skipIf(opensslProblem())(
    'logins by SCRAM, over TLS and without; what is refused; nothing in its log',
    async () => {
      const server = await own({
        sql: [
          "CREATE ROLE watcher LOGIN PASSWORD 'hush'",
          'CREATE TABLE lags (lag int)',
          'GRANT SELECT ON lags TO watcher',
        ],
        hba: ['hostssl all watcher 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256'],
        certificate: authority!.issue('localhost', 'IP:127.0.0.1'),
        settings: ['logging_collector=on', "log_directory='log'", "log_filename='all.log'"],
      });
      await server.start();
      const address = `127.0.0.1:${server.port}`;
      const tls = { ca: authority!.certFile };
      const watcher = { address, user: 'watcher', password: 'hush', database: 'postgres' };
      const asks = 'ok: ready, asks for a password (SASL)';
      await until('the server to ask who we are', async () => (await ask(address)) === asks);
      expect(await ask({ address, tls })).toBe(asks);
      expect(await ask(watcher)).toBe('ok: ready, SELECT 1 was answered');
      const secured = await attemptOnce(probe, {
        ...watcher,
        tls,
        query: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
        expect: '^true$',
      });
      expect(secured.outcome).toMatchObject({
        status: 'ok',
        facts: { ssl: true, in_recovery: false, tls_subject: 'localhost' },
      });
      expect(await ask({ ...watcher, query: 'SELECT count(*) FROM lags', expect: '^[1-9]' })).toBe(
        'fail mismatch explicit: "0" does not match /^[1-9]/',
      );
      // What is above leaves no line in the server's log, however often it is asked.
      const log = readFileSync(`${server.data}/log/all.log`, 'utf8').split('\n').filter(Boolean);
      expect(
        log.filter((line) =>
          /FATAL(?!.*starting up)|ERROR|reset by peer|could not receive|unexpected EOF/.test(line),
        ),
      ).toEqual([]);

      expect(await ask({ ...watcher, password: 'wrong' })).toBe(
        'fail status explicit: password authentication failed for user "watcher" (28P01)',
      );
      expect(await ask({ ...watcher, password: undefined })).toBe(
        'fail status explicit: the server asks for a password, and none is written',
      );
      expect(await ask({ ...watcher, database: 'nope' })).toMatch(
        /^fail status explicit: database "nope" does not exist/,
      );
      expect(await ask({ ...watcher, query: 'SELECT * FROM pg_authid' })).toMatch(
        /^fail status explicit: permission denied/,
      );
      expect(await ask({ ...watcher, tls: true })).toMatch(/^fail tls explicit/);
    },
  );

  test('not in service: a standby that takes nobody; in service, in recovery: one that does', async () => {
    const closed = await own({ standby: true, settings: ['hot_standby=off'] });
    await closed.start();
    await until('the standby to say what it is', async () =>
      /Hot standby|not accepting|starting up/.test(await ask(`127.0.0.1:${closed.port}`)),
    );
    expect(await ask(`127.0.0.1:${closed.port}`)).toMatch(/^fail not_serving explicit: .*\(57P03\)$/);
    expect(await ask({ address: `127.0.0.1:${closed.port}`, user: 'postgres' })).toMatch(
      /^fail not_serving explicit/,
    );

    const open = await own({ standby: true, settings: ['hot_standby=on'] });
    await open.start();
    const address = `127.0.0.1:${open.port}`;
    await until('the standby to let us in', async () => (await ask(address)) === 'ok: ready, lets us in');
    const attempt = await attemptOnce(probe, { address, user: 'postgres' });
    expect(attempt.outcome).toMatchObject({ status: 'ok', facts: { in_recovery: true } });
  });

  test('too many connections', async () => {
    const server = await own({
      sql: ['CREATE ROLE watcher LOGIN'],
      settings: ['max_connections=4', 'superuser_reserved_connections=3', 'max_wal_senders=0'],
    });
    await server.start();
    const address = `127.0.0.1:${server.port}`;
    await until('the server to let us in', async () => (await ask(address)) === 'ok: ready, lets us in');
    const taken = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const connection = await rawConnection(server.port);
        connection.socket.write(HELLO);
        await connection.hears('Z\0\0\0\u0005I');
        return connection;
      }),
    );
    expect(await ask(address)).toMatch(/^fail status explicit: .* \(53300\)$/);
    expect(await ask({ address, user: 'watcher', database: 'postgres' })).toMatch(
      /^fail status explicit: .* \(53300\)$/,
    );
    for (const { socket } of taken) socket.destroy();
    await until('a place to be free', async () => (await ask(address)).startsWith('ok'));
  });
});
