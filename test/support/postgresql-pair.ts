import { execFile, execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from './real-server.ts';

export interface PostgresqlPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly basebackup: string;
  readonly psql: string;
}

export interface Postgresql extends RealServer {
  readonly data: string;
  /** One value. */
  sql(statement: string): Promise<string>;
}

const promised = promisify(execFile);

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=off',
  'shared_buffers=1MB',
  'max_connections=20',
  'wal_receiver_status_interval=1s',
  'hot_standby_feedback=off',
];

/** A primary of the test's own, and a standby made from it by pg_basebackup, that streams by way of a slot. */
export async function postgresqlPair(
  programs: PostgresqlPrograms,
): Promise<{ primary: Postgresql; standby: Postgresql }> {
  const directory = temporaryDirectory();
  const user = unprivileged();
  if (user) chownSync(directory, user.uid, user.gid);
  const as = { ...user, cwd: directory, stdio: 'pipe' as const };
  const data = join(directory, 'primary');
  const how = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8'];
  execFileSync(programs.initdb, [`--pgdata=${data}`, ...how], as);
  const primary = server(programs, data, await freePort(), user);
  await primary.start();
  await until('the primary to take logins', () => takesLogins(primary));

  const copy = join(directory, 'standby');
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres'];
  execFileSync(
    programs.basebackup,
    [...from, '-D', copy, '-R', '-C', '-S', 'second', '-c', 'fast', '-N'],
    as,
  );
  const standby = server(programs, copy, await freePort(), user);
  await standby.start();
  await until('the standby to take logins', () => takesLogins(standby));
  return { primary, standby };
}

function server(
  { postgres, psql }: PostgresqlPrograms,
  data: string,
  port: number,
  user: ReturnType<typeof unprivileged>,
): Postgresql {
  const settings = [`port=${port}`, ...SETTINGS].flatMap((setting) => ['-c', setting]);
  return {
    ...realServer({
      argv: [postgres, '-D', data, ...settings],
      port,
      cwd: data,
      user,
      // Immediate shutdown: its children have left its process group, and KILL would not take them along.
      stopSignal: 'SIGQUIT',
    }),
    data,
    async sql(statement) {
      const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', 'postgres'];
      const { stdout } = await promised(psql, ['-XAtqw', '-v', 'ON_ERROR_STOP=1', '-c', statement, ...where]);
      return stdout.trim();
    },
  };
}

function takesLogins({ sql }: Postgresql): Promise<boolean> {
  return sql('SELECT 1').then(
    () => true,
    () => false,
  );
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (which: string): number => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
