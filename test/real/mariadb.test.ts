import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mysql } from '../../probes/mysql/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { outlives } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { rawConnection } from '../support/raw-http.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';
import { verdict } from '../support/verdict.ts';

const found = findPrograms([
  { program: 'mariadbd', from: 'mariadb-server' },
  { program: 'mariadb-install-db', from: 'mariadb-server' },
]);

const SQL = [
  "CREATE USER watcher@'127.0.0.1' IDENTIFIED BY 'hush'",
  "CREATE USER open@'127.0.0.1'",
  "CREATE USER secured@'127.0.0.1' IDENTIFIED BY 'hush' REQUIRE SSL",
  'CREATE DATABASE shop',
  'CREATE TABLE shop.lags (lag int, rate decimal(5,2))',
  'INSERT INTO shop.lags VALUES (7, 0.25)',
  "GRANT SELECT ON shop.* TO watcher@'127.0.0.1'",
];

async function mariadb(
  settings: readonly string[] = [],
): Promise<RealServer & { readonly socket: string; readonly log: string }> {
  const [mariadbd, install] = found!;
  const directory = temporaryDirectory();
  const data = join(directory, 'data');
  const socket = join(directory, 's');
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  const log = join(directory, 'log.err');
  execFileSync(
    install,
    [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...asRoot,
    ],
    { stdio: 'pipe' },
  );
  const init = join(directory, 'init.sql');
  writeFileSync(
    init,
    SQL.map(
      (line) =>
        `${line.replace(/^CREATE (USER|DATABASE|TABLE)/, 'CREATE $1 IF NOT EXISTS').replace(/^INSERT/, 'REPLACE')};\n`,
    ).join(''),
  );
  const port = await freePort();
  const argv = [
    mariadbd,
    '--no-defaults',
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--port=${port}`,
    `--init-file=${init}`,
    `--log-error=${log}`,
    `--pid-file=${join(directory, 'pid')}`,
    '--bind-address=127.0.0.1',
    '--innodb-buffer-pool-size=8M',
    '--skip-name-resolve',
    ...asRoot,
    ...settings,
  ] as const;
  const address = `127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> =>
    verdict(await attemptOnce(mysql, { address, user: 'watcher', password: 'hush', database: 'shop' })) ===
    'ok';
  return {
    ...realServer({ argv: [...argv] as [string, ...string[]], port, cwd: directory, answers }),
    socket,
    log,
  };
}

async function ask(settings: object | string): Promise<string> {
  const attempt = await attemptOnce(mysql, settings, { timeoutMs: 10_000 });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe.skipIf(!found)('MariaDB by mysql', () => {
  const authority = opensslProblem() ? undefined : createAuthority();
  afterAll(() => authority?.remove());

  test('up, frozen, stopped and back', async () => {
    const server = await mariadb();
    await server.start();
    await outlives(server, { mysql: `127.0.0.1:${server.port}` });
  });

  test.skipIf(opensslProblem())(
    'logins, over TLS, by socket and without; what is refused; too many',
    async () => {
      const { certFile, keyFile } = authority!.issue('localhost', 'IP:127.0.0.1');
      chmodSync(keyFile, 0o644);
      const server = await mariadb([
        `--ssl-cert=${certFile}`,
        `--ssl-key=${keyFile}`,
        '--max-connections=10',
      ]);
      await server.start();
      const address = `127.0.0.1:${server.port}`;
      const tls = { ca: authority!.certFile };
      const watcher = { address, user: 'watcher', password: 'hush' };
      expect(await ask(address)).toBe('ok: ready, refuses the login (1045)');
      expect(await ask({ address, tls })).toBe('ok: ready, refuses the login (1045)');
      expect(await ask({ address, user: 'open' })).toBe('ok: ready, SELECT 1 was answered');
      expect(await ask({ unix: server.socket, user: 'root' })).toBe('ok: ready, SELECT 1 was answered');
      expect(await ask({ ...watcher, user: 'secured', tls })).toBe('ok: ready, SELECT 1 was answered');
      expect(await ask({ ...watcher, user: 'secured' })).toMatch(/^fail status explicit: Access denied/);
      const queried = await attemptOnce(mysql, {
        ...watcher,
        tls,
        database: 'shop',
        query: 'SELECT lag, rate, version() AS v FROM lags',
        expect: '^7$',
      });
      expect(queried.outcome).toMatchObject({
        status: 'ok',
        facts: { lag: 7, rate: 0.25, tls_subject: 'localhost' },
      });
      expect(queried.outcome.facts!['v']).toContain(String(queried.outcome.facts!['version']));
      const told = readFileSync(server.log, 'utf8').split('\n');
      expect(told.filter((line) => /Aborted|'(open|watcher|root)'/.test(line))).toEqual([]);
      expect(await ask({ ...watcher, password: 'wrong' })).toMatch(
        /^fail status explicit: Access denied .*\(1045\)$/,
      );
      expect(await ask({ ...watcher, query: 'SELECT * FROM shop.nope' })).toMatch(
        /^fail status explicit: .*\(1146\)$/,
      );
      expect(await ask({ ...watcher, database: 'nope' })).toMatch(/^fail status explicit: .*\(10(44|49)\)$/);
      expect(await ask({ ...watcher, tls: true })).toMatch(/^fail tls explicit/);

      const taken = await Promise.all(Array.from({ length: 12 }, () => rawConnection(server.port)));
      await until('all places to be taken', async () => (await ask(address)).includes('(1040)'));
      expect(await ask(address)).toBe('fail status explicit: Too many connections (1040)');
      expect(await ask(watcher)).toBe('fail status explicit: Too many connections (1040)');
      for (const { socket } of taken) socket.destroy();
      await until('a place to be free', async () => (await ask(watcher)).startsWith('ok'));
    },
  );
});
