import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { ask, onlyThese, said } from '../support/contrib.ts';
import { type Mariadb, mariadbPair } from '../support/mariadb-pair.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort, temporaryDirectory, until } from '../support/real-server.ts';

const found = findPrograms([
  { program: 'mariadb-install-db', from: 'mariadb-server' },
  { program: 'mariadbd', from: 'mariadb-server' },
  { program: 'mariadb', from: 'mariadb-client' },
]);

function asking({ port }: { port: number }, ...args: string[]): Promise<Outcome> {
  return by('user=root', port, ...args);
}

function by(client: string, port: number, ...args: string[]): Promise<Outcome> {
  const options = join(temporaryDirectory(), 'client.cnf');
  writeFileSync(options, `[client]\n${client}\n`, { mode: 0o600 });
  const env = { MYSQL_HOST: '127.0.0.1', MYSQL_TCP_PORT: String(port), MYSQL_OPTIONS: options };
  return ask('mysql-replication.sh', args, env);
}

async function pair(): Promise<{ source: Mariadb; replica: Mariadb }> {
  const [install, server, client] = found!;
  const both = await mariadbPair({ install, server, client });
  await until('the replica to follow', async () => (await asking(both.replica)).status === 'ok');
  return both;
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('mysql-replication.sh, MariaDB', { timeout: 120_000 }, () => {
  test('a replica that follows, halts, fails and is promoted', async () => {
    const { source, replica } = await pair();
    const fine = await asking(replica);
    expect(said(fine)).toBe('ok: replica: follows 127.0.0.1, 0 s behind');
    expect(fine.facts).toEqual({ channels: 1, lag: 0 });
    expect(said(await asking(source, '--role', 'source'))).toBe('ok: source: replicas connected: 1');
    expect(said(await asking(source, '--role', 'source', '--replicas', '2'))).toBe(
      'fail: broken replication: 1 of 2 replicas connected',
    );
    expect(said(await asking(source))).toMatch(/^fail: this should be a replica, and follows nobody/);
    expect(said(await asking(replica, '--role', 'source'))).toBe(
      'fail: this should be the source, and is a replica of 127.0.0.1',
    );

    await replica.sql('SET GLOBAL read_only = 0');
    expect(said(await asking(replica))).toBe('warn: the replica takes writes: read_only is off');
    expect((await asking(replica, '--writable')).status).toBe('ok');

    // A write on the replica that the source then repeats: the applier stops, and says why.
    await source.sql('CREATE DATABASE torn; CREATE TABLE torn.t (n INT PRIMARY KEY)');
    await until('the table to arrive', () =>
      replica.sql('SELECT count(*) FROM torn.t').then(
        () => true,
        () => false,
      ),
    );
    await replica.sql('SET SESSION sql_log_bin = 0; INSERT INTO torn.t VALUES (1)');
    await source.sql('INSERT INTO torn.t VALUES (1)');
    await until('the applier to stop', async () => (await asking(replica)).status === 'fail');
    expect(said(await asking(replica))).toMatch(
      /^fail: the applier \(SQL thread\) has stopped: .*Duplicate entry/,
    );
    await replica.sql('SET SESSION sql_log_bin = 0; DELETE FROM torn.t; START SLAVE SQL_THREAD');
    await until('the applier to run', async () => (await asking(replica)).status === 'warn');

    await replica.sql('STOP SLAVE IO_THREAD');
    expect(said(await asking(replica, '--writable'))).toBe('fail: the receiver (IO thread) has stopped');
    await replica.sql('START SLAVE; SET GLOBAL read_only = 1');
    await until('the replica to follow', async () => (await asking(replica)).status === 'ok');

    await replica.sql('STOP SLAVE; RESET SLAVE ALL');
    expect(said(await asking(replica))).toMatch(/^fail: this should be a replica, and follows nobody/);
  });

  test('a replica that falls behind', async () => {
    const { source, replica } = await pair();
    await replica.sql('CREATE DATABASE kept; USE kept; CREATE TABLE t (n INT); SET SESSION sql_log_bin = 0');
    await source.sql('SET SESSION sql_log_bin = 0; CREATE DATABASE kept; CREATE TABLE kept.t (n INT)');
    const locked = replica.sql('LOCK TABLES kept.t WRITE; SELECT SLEEP(600)');
    locked.catch(() => {});
    await until('the lock to be taken', async () =>
      (await replica.sql('SHOW PROCESSLIST')).includes('SLEEP(600)'),
    );
    await source.sql('INSERT INTO kept.t VALUES (1)');
    await until('the lag to grow', async () => Number((await asking(replica)).facts?.['lag']) >= 1);
    expect(said(await asking(replica, '--lag-warn', '1'))).toMatch(/^warn: [1-9]\d* s behind$/);
    expect(said(await asking(replica, '--lag-fail', '1'))).toMatch(/^fail: [1-9]\d* s behind$/);
    const sleeper = await replica.sql(
      "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
    );
    await replica.sql(`KILL ${sleeper}`);
    await until('the replica to catch up', async () => (await asking(replica)).facts?.['lag'] === 0);
  });

  test('a source that is gone, logins that are refused, a server that is not there', async () => {
    const { source, replica } = await pair();
    await replica.sql("CREATE USER nosy@'%' IDENTIFIED BY 'secret'");
    const nosy = 'user=nosy\npassword=secret';
    expect(said(await by(nosy, replica.port))).toMatch(/^void: the user lacks a privilege: ERROR 1227/);
    await replica.sql("GRANT REPLICA MONITOR ON *.* TO nosy@'%'");
    expect((await by(nosy, replica.port)).status).toBe('ok');
    expect(said(await by('user=nosy\npassword=wrong', replica.port))).toMatch(
      /^void: the login was refused: ERROR 1045/,
    );
    expect(said(await by('no-such-option=1', replica.port))).toMatch(/^void: the client would not: /);

    await source.stop();
    await until('the receiver to notice', async () => (await asking(replica)).status !== 'ok');
    await until('it to say why', async () => (await asking(replica)).message.includes('error'));
    expect(said(await asking(replica))).toMatch(
      /^warn: not connected to its source 127.0.0.1: error (re)?connecting to master/,
    );
    expect(said(await asking({ port: await freePort() }))).toMatch(/^fail: no answer: ERROR 2002/);
  });
});

describe('mysql-replication.sh against answers in the form of MySQL', () => {
  /** A client that answers in these servers' form. No MySQL runs here: the answers are written by hand. */
  function answering(byStatement: Readonly<Record<string, string>>): Promise<Outcome> {
    const directory = onlyThese('awk', 'cat', 'sed', 'tr', 'sh');
    const cases = Object.entries({ 'SELECT @@global.read_only': '1', ...byStatement }).map(
      ([statement, answer]) => `  *'${statement}'*) cat <<'END'\n${answer}\nEND\n ;;`,
    );
    const unknown =
      "  *) echo 'ERROR 1064 (42000) at line 1: You have an error in your SQL syntax' >&2; exit 1 ;;";
    writeFileSync(
      join(directory, 'mysql'),
      `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n${unknown}\nesac\n`,
    );
    chmodSync(join(directory, 'mysql'), 0o755);
    return ask('mysql-replication.sh', [], { PATH: [directory].join(delimiter) });
  }

  test('MySQL 8.4: the new words, two channels', async () => {
    const outcome = await answering({ 'SHOW REPLICA STATUS': MYSQL_8_4 });
    expect(said(outcome)).toBe('warn: channel orders: 45 s behind');
    expect(outcome.facts).toEqual({ channels: 2, lag: 45 });
  });

  test('MySQL 5.7: the old words, a receiver that lost its place', async () => {
    expect(said(await answering({ 'SHOW SLAVE STATUS': MYSQL_5_7 }))).toBe(
      'fail: the receiver (IO thread) has stopped: Got fatal error 1236 from master when reading data from binary ' +
        "log: 'Could not find first log file name in binary log index file'",
    );
  });
});

const MYSQL_8_4 = `*************************** 1. row ***************************
             Replica_IO_State: Waiting for source to send event
                  Source_Host: 10.0.0.1
                  Source_Port: 3306
           Replica_IO_Running: Yes
          Replica_SQL_Running: Yes
        Seconds_Behind_Source: 0
                Last_IO_Error: 
               Last_SQL_Error: 
                 Channel_Name: shop
*************************** 2. row ***************************
             Replica_IO_State: Waiting for source to send event
                  Source_Host: 10.0.0.2
           Replica_IO_Running: Yes
          Replica_SQL_Running: Yes
        Seconds_Behind_Source: 45
                Last_IO_Error: 
               Last_SQL_Error: 
                 Channel_Name: orders`;

const MYSQL_5_7 = `*************************** 1. row ***************************
               Slave_IO_State: 
                  Master_Host: 10.0.0.1
             Slave_IO_Running: No
            Slave_SQL_Running: Yes
        Seconds_Behind_Master: NULL
                Last_IO_Error: Got fatal error 1236 from master when reading data from binary log: 'Could not find first log file name in binary log index file'
               Last_SQL_Error: 
                 Channel_Name: `;

describe('mysql-replication.sh, misused', () => {
  test.each([
    [['--rule', 'source'], 'there is no setting --rule'],
    [['--role', 'master'], '--role is replica or source, not master'],
    [['--lag-fail', '1m'], '1m is not a whole number'],
    [['--lag-fail'], '--lag-fail needs a value'],
  ])('%j', async (args, message) => {
    expect(said(await ask('mysql-replication.sh', args))).toBe(`void: ${message}`);
  });

  test('no client, no option file', async () => {
    const PATH = onlyThese('tr', 'sed');
    expect(said(await ask('mysql-replication.sh', [], { PATH }))).toMatch(
      /^void: there is no mariadb or mysql/,
    );
  });
});
