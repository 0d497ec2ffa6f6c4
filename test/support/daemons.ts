import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cluster, unprivileged } from './postgresql.ts';
import { adopt, freePort, pidIn, signalGroup, temporaryDirectory } from './real-server.ts';

/** A real server as an operator runs it: in the background, with a file for its pid and commands to handle it. */
export interface Daemon {
  /** How it is probed, as in YAML. */
  readonly probe: Readonly<Record<string, unknown>>;
  /** Steps of a ladder, as in YAML. */
  readonly reload: object;
  readonly restart: object;
  start(): void;
  kill(): void;
  freeze(): void;
  /** Writes a configuration, and tells it to read that. */
  configure(how: Configured): void;
  /** Only writes it. */
  write(how: Configured): void;
}

/** `failing`: it says no to everybody. `strange`: it serves something else. */
export type Configured = 'well' | 'failing' | 'strange';

interface Commands {
  readonly cwd: string;
  readonly pidFile: string;
  readonly reload: string;
  /** Also where it is frozen, or gone. Ends when it serves. */
  readonly restart: string;
  readonly user?: ReturnType<typeof unprivileged>;
  readonly write: (how: Configured) => void;
}

function daemon({ cwd, pidFile, user, write, ...lines }: Commands): Omit<Daemon, 'probe'> {
  const run = (line: string): void =>
    void execFileSync('/bin/sh', ['-c', line], { ...user, cwd, stdio: 'ignore' });
  const step = (command: string) => ({
    shell: { command, cwd, ...(user && { user: `${user.uid}:${user.gid}` }) },
    settle: '0s',
  });
  adopt(pidFile);
  return {
    reload: step(lines.reload),
    restart: step(lines.restart),
    start: () => run(lines.restart),
    kill: () => signalGroup(pidIn(pidFile), 'SIGKILL'),
    freeze: () => signalGroup(pidIn(pidFile), 'SIGSTOP'),
    configure(how) {
      write(how);
      run(lines.reload);
    },
    write,
  };
}

/** An nginx of the test's own. */
export async function nginxDaemon(program: string): Promise<Daemon> {
  const cwd = temporaryDirectory();
  const port = await freePort();
  const argv = `'${program}' -e error.log -p . -c nginx.conf`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const answers: Readonly<Record<Configured, string>> = {
    well: `return 200 '{"status":"ok"}'`,
    failing: 'return 500',
    strange: `return 200 'Welcome to somebody else!'`,
  };
  const write = (how: Configured): void =>
    writeFileSync(
      join(cwd, 'nginx.conf'),
      `
      worker_processes 1;
      pid nginx.pid;
      events { worker_connections 256; }
      http {
        access_log off;
        ${temporary.map((path) => `${path}_temp_path ${path};`).join(' ')}
        server { listen 127.0.0.1:${port}; location / { ${answers[how]}; } }
      }
      `,
    );
  write('well');
  return {
    ...daemon({
      cwd,
      pidFile: join(cwd, 'nginx.pid'),
      reload: `${argv} -s reload`,
      // It waits by itself for its port to be given up.
      restart: `test -e nginx.pid && kill -s KILL -- -$(cat nginx.pid); exec ${argv}`,
      write,
    }),
    probe: { http: { url: `http://127.0.0.1:${port}/healthz`, expect: { body: '"status":"ok"' } } },
  };
}

export interface PostgresqlPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/** A PostgreSQL of the test's own, with an account of its own where we are root. */
export async function postgresqlDaemon({ pgCtl, ...programs }: PostgresqlPrograms): Promise<Daemon> {
  const { data, port } = await cluster(programs);
  const user = unprivileged();
  const hba: Readonly<Record<Configured, string>> = {
    well: 'host all all 127.0.0.1/32 trust',
    failing: 'host all all 127.0.0.1/32 reject',
    strange: 'host someone else 127.0.0.1/32 trust',
  };
  const ctl = `'${pgCtl}' -D data -s`;
  const stop = `${ctl} stop -m immediate -t 1 || kill -s KILL $(head -n 1 data/postmaster.pid)`;
  const write = (how: Configured): void => writeFileSync(join(data, 'pg_hba.conf'), `${hba[how]}\n`);
  write('well');
  return {
    ...daemon({
      cwd: dirname(data),
      pidFile: join(data, 'postmaster.pid'),
      reload: `${ctl} reload`,
      // Where nobody buries the dead, the pid in that file seems to be alive; and its children need a moment to notice.
      restart: `${stop}; rm -f data/postmaster.pid; until ${ctl} start -w -l log; do sleep 0.1; done`,
      user,
      write,
    }),
    probe: { postgres: { address: `127.0.0.1:${port}`, user: 'postgres' } },
  };
}
