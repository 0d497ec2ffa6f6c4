import { execFile, execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RealServer, freePort, realServer, temporaryDirectory } from './real-server.ts';

export interface MariadbPrograms {
  readonly install: string;
  readonly server: string;
  readonly client: string;
}

export interface Mariadb extends RealServer {
  /** What the client prints. */
  sql(statement: string): Promise<string>;
}

const promised = promisify(execFile);

/** A source of the test's own, and a replica that follows it. */
export async function mariadbPair(programs: MariadbPrograms): Promise<{ source: Mariadb; replica: Mariadb }> {
  const directory = temporaryDirectory();
  const [data, copy] = [join(directory, 'source'), join(directory, 'replica')];
  const how = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync(programs.install, [...how, `--datadir=${data}`, ...asRoot()], { stdio: 'pipe' });
  cpSync(data, copy, { recursive: true });
  const source = await mariadb(programs, data, 1);
  const replica = await mariadb(programs, copy, 2);
  await Promise.all([source.start(), replica.start()]);
  await source.sql("CREATE USER follower@'%' IDENTIFIED BY 'secret'");
  await source.sql("GRANT REPLICATION SLAVE ON *.* TO follower@'%'");
  const where = `MASTER_HOST='127.0.0.1', MASTER_PORT=${source.port}`;
  const who = "MASTER_USER='follower', MASTER_PASSWORD='secret', MASTER_CONNECT_RETRY=1";
  await replica.sql(`CHANGE MASTER TO ${where}, ${who}, MASTER_USE_GTID=slave_pos; START SLAVE`);
  await replica.sql('SET GLOBAL read_only = 1');
  return { source, replica };
}

async function mariadb(
  { server, client }: MariadbPrograms,
  data: string,
  serverId: number,
): Promise<Mariadb> {
  const port = await freePort();
  const sql: Mariadb['sql'] = async (statement) => {
    const where = ['--no-defaults', '--protocol=TCP', '--host=127.0.0.1', `--port=${port}`, '--user=root'];
    const { stdout } = await promised(client, [...where, '--batch', '-N', '-e', statement]);
    return stdout.trim();
  };
  const started = realServer({
    argv: [
      server,
      '--no-defaults',
      ...asRoot(),
      `--datadir=${data}`,
      `--port=${port}`,
      `--socket=${join(data, 'socket')}`,
      `--server-id=${serverId}`,
      '--bind-address=127.0.0.1',
      '--log-bin=binlog',
      '--skip-name-resolve',
      '--skip-slave-start',
      '--innodb-buffer-pool-size=8M',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    port,
    cwd: data,
    answers: () =>
      sql('SELECT 1').then(
        () => true,
        () => false,
      ),
  });
  return { ...started, sql };
}

/** MariaDB runs as root only where it is told to. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}
