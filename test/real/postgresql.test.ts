import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REFUSED, SILENT, askOnce, watch } from '../support/incidents.ts';
import { findPrograms, postgresqlDirectories } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, wake } from '../support/real-server.ts';

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

async function postgresql(initdb: string, postgres: string): Promise<RealServer> {
  const directory = temporaryDirectory();
  const data = join(directory, 'data');
  const user = unprivileged();
  if (user) chownSync(directory, user.uid, user.gid);
  const how = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8'];
  execFileSync(initdb, [`--pgdata=${data}`, ...how], { ...user, cwd: directory, stdio: 'pipe' });
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'shared_buffers=1MB',
    'max_connections=20',
  ];
  return realServer({
    argv: [postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    port,
    cwd: directory,
    user,
    // Immediate shutdown: its children have left its process group, and KILL would not take them along.
    stopSignal: 'SIGQUIT',
  });
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (which: string): number => Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

describe.skipIf(!found)('PostgreSQL by tcp', () => {
  test('up, frozen, stopped and back', async () => {
    const server = await postgresql(...found!);
    await server.start();
    const address = `127.0.0.1:${server.port}`;
    const dialogue = { tcp: { address, send: HELLO, expect: '^R' } };
    const { ends, reaches, staysDown } = await watch({ probe: dialogue, mend: wake(server) });
    const up = await reaches('up');
    expect(
      await askOnce({ connect: { tcp: address }, dialogue, tls: { tcp: { address, tls: true } } }),
    ).toMatchObject({
      connect: { probe: 'tcp', status: 'ok', reason: null, class: null },
      dialogue: { status: 'ok' },
      tls: { status: 'fail', class: 'explicit' },
    });

    server.freeze();
    const thawed = await reaches('up', await reaches('recovering', await reaches('down', up)));

    await server.stop();
    const down = await staysDown(thawed);
    await server.start();
    await reaches('up', await reaches('recovering', down));
    await ends([SILENT, REFUSED]);
  });
});
