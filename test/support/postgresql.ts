import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from './certs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory } from './real-server.ts';

export interface Cluster extends RealServer {
  readonly data: string;
}

export interface ClusterOptions {
  readonly initdb: string;
  readonly postgres: string;
  /** Lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Who has to show what; trust for everyone otherwise. */
  readonly hba?: readonly string[];
  /** SQL that the cluster is made with, a statement each. */
  readonly sql?: readonly string[];
  readonly certificate?: Certificate;
  /** Makes a standby of it that has no primary. */
  readonly standby?: boolean;
}

/** A cluster of our own, on loopback. */
export async function cluster(options: ClusterOptions): Promise<Cluster> {
  const { initdb, postgres, settings = [], hba = [], sql = [], certificate, standby = false } = options;
  const directory = temporaryDirectory();
  const data = join(directory, 'data');
  const user = unprivileged();
  const own = (file: string): void => {
    if (user) chownSync(file, user.uid, user.gid);
  };
  own(directory);
  const how = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8'];
  execFileSync(initdb, [`--pgdata=${data}`, ...how], { ...user, cwd: directory, stdio: 'pipe' });
  if (sql.length > 0) {
    const input = sql.map((line) => `${line};\n`).join('');
    execFileSync(postgres, ['--single', '-D', data, 'postgres'], {
      ...user,
      cwd: directory,
      input,
      stdio: 'pipe',
    });
  }
  if (hba.length > 0) writeFileSync(join(data, 'pg_hba.conf'), `${hba.join('\n')}\n`);
  if (certificate) {
    for (const [from, to] of [
      [certificate.certFile, 'server.crt'],
      [certificate.keyFile, 'server.key'],
    ] as const) {
      copyFileSync(from, join(data, to));
      chmodSync(join(data, to), 0o600);
      own(join(data, to));
    }
  }
  if (standby) {
    writeFileSync(join(data, 'standby.signal'), '');
    own(join(data, 'standby.signal'));
  }
  const port = await freePort();
  const all = [
    `port=${port}`,
    "listen_addresses='127.0.0.1'",
    "unix_socket_directories=''",
    'fsync=off',
    'shared_buffers=1MB',
    // A standby needs as many as its primary had, which is the default.
    `max_connections=${standby ? 100 : 20}`,
    `ssl=${certificate ? 'on' : 'off'}`,
    ...settings,
  ];
  appendFileSync(join(data, 'postgresql.conf'), `${all.join('\n')}\n`);
  const server = realServer({
    argv: [postgres, '-D', data],
    port,
    cwd: directory,
    user,
    // Immediate shutdown: its children have left its process group, and KILL would not take them along.
    stopSignal: 'SIGQUIT',
  });
  return { ...server, data };
}

/** PostgreSQL refuses to run as root. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (which: string): number => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
