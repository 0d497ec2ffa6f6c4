import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { ask, contrib, onlyThese, said } from '../support/contrib.ts';
import { watch } from '../support/incidents.ts';
import { type Postgresql, postgresqlPair } from '../support/postgresql-pair.ts';
import { findPrograms, postgresqlDirectories } from '../support/programs.ts';
import { freePort, until } from '../support/real-server.ts';

const alsoIn = postgresqlDirectories();
const found = findPrograms([
  { program: 'initdb', from: 'postgresql', alsoIn },
  { program: 'postgres', from: 'postgresql', alsoIn },
  { program: 'pg_basebackup', from: 'postgresql-client', alsoIn },
  { program: 'psql', from: 'postgresql-client', alsoIn },
]);

function asking({ port }: { port: number }, ...args: string[]): Promise<Outcome> {
  return ask('postgresql-replication.sh', args, {
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'postgres',
  });
}

async function pair(): Promise<{ primary: Postgresql; standby: Postgresql }> {
  const [initdb, postgres, basebackup, psql] = found!;
  const both = await postgresqlPair({ initdb, postgres, basebackup, psql });
  await until('the standby to stream', async () => (await asking(both.primary)).status === 'ok');
  return both;
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('postgresql-replication.sh', { timeout: 120_000 }, () => {
  test('a primary and its standby, streaming', async () => {
    const { primary, standby } = await pair();
    const seen = await asking(primary, '--role', 'primary', '--names', 'walreceiver');
    expect(said(seen)).toMatch(/^ok: primary: 1 streaming, \d+ B and [\d.]+ s behind$/);
    expect(seen.facts).toMatchObject({
      standbys: 1,
      lag: expect.any(Number),
      'slot second': expect.any(Number),
    });
    const mirrored = await asking(standby, '--role', 'standby');
    expect(said(mirrored)).toMatch(
      new RegExp(`^ok: standby: streaming from 127.0.0.1:${primary.port}, \\d+ B and [\\d.]+ s behind$`),
    );
    expect(mirrored.facts).toMatchObject({ lag: expect.any(Number), delay: expect.any(Number) });
    expect(said(await asking(primary, '--standbys', '2'))).toBe(
      'fail: broken replication: 1 of 2 standbys streaming',
    );
    expect(said(await asking(primary, '--names', 'walreceiver,third'))).toBe(
      'fail: standby third is not streaming',
    );
    expect(said(await asking(primary, '--role', 'standby'))).toBe(
      'fail: this should be a standby, and is a primary: it was promoted',
    );
    expect(said(await asking(standby, '--role', 'primary'))).toBe(
      'fail: this should be the primary, and is a standby',
    );
  });

  test('the walsender is killed while the standby hangs, then both are back', async () => {
    const { primary, standby } = await pair();
    const receiver = Number(await standby.sql('SELECT pid FROM pg_stat_wal_receiver'));
    process.kill(receiver, 'SIGSTOP');
    try {
      process.kill(Number(await primary.sql('SELECT pid FROM pg_stat_replication')), 'SIGTERM');
      await until('the walsender to end', async () => (await asking(primary)).status === 'fail');
      expect(said(await asking(primary))).toMatch(
        /^fail: broken replication: 0 of 1 standbys streaming; nobody uses slot second, which holds back/,
      );
    } finally {
      process.kill(receiver, 'SIGCONT');
    }
    await until('the walsender to be back', async () => (await asking(primary)).status === 'ok');
  });

  test('a standby that the primary refuses, then takes again', async () => {
    const { primary, standby } = await pair();
    const rules = join(primary.data, 'pg_hba.conf');
    const before = readFileSync(rules, 'utf8');
    writeFileSync(rules, 'host postgres all 127.0.0.1/32 trust\n');
    await primary.sql('SELECT pg_reload_conf()');
    process.kill(Number(await standby.sql('SELECT pid FROM pg_stat_wal_receiver')), 'SIGTERM');
    await until('the standby to be cut off', async () => (await asking(standby)).status === 'fail');
    expect(said(await asking(standby))).toMatch(
      /^fail: broken replication: (nothing is received|the receiver is \w+) from the primary; what was replayed last is [\d.]+ s old$/,
    );
    await until('the receiver to be gone', async () =>
      (await asking(standby)).message.includes('nothing is received'),
    );
    expect(said(await asking(standby, '--archive'))).toMatch(/^ok: standby: lives from the archive, /);
    writeFileSync(rules, before);
    await primary.sql('SELECT pg_reload_conf()');
    await until('the standby to stream again', async () => (await asking(standby)).status === 'ok');
  });

  test('a standby that falls behind: in bytes, in time, and in what its slot holds back', async () => {
    const { primary, standby } = await pair();
    await standby.sql('SELECT pg_wal_replay_pause()');
    await until('the replay to pause', async () => (await asking(standby)).status === 'warn');
    expect(said(await asking(standby))).toBe('warn: the replay is paused');
    await primary.sql(
      'CREATE TABLE filler AS SELECT repeat(md5(n::text), 10) FROM generate_series(1, 5000) AS n',
    );
    await until('the standby to have received it', async () => {
      const { facts } = await asking(standby);
      return Number(facts?.['lag']) > 1_000_000;
    });
    expect(said(await asking(standby, '--lag-fail', '1M'))).toMatch(
      /^fail: the standby is behind by \d MiB; the replay is paused$/,
    );
    expect(said(await asking(standby, '--delay-warn', '0', '--delay-fail', '0'))).toMatch(
      /^fail: the standby is behind by [\d.]+ s; the replay is paused$/,
    );
    await until(
      'the primary to hear of it',
      async () => Number((await asking(primary)).facts?.['lag']) > 1_000_000,
    );
    expect(said(await asking(primary, '--lag-warn', '1M'))).toMatch(
      /^warn: standby walreceiver is behind by \d MiB$/,
    );
    expect(said(await asking(primary, '--lag-fail', '1024k'))).toMatch(
      /^fail: standby walreceiver is behind by \d MiB$/,
    );

    await standby.stop();
    await until('the walsender to go', async () => (await asking(primary)).status === 'fail');
    await primary.sql('CREATE TABLE more AS TABLE filler');
    expect(said(await asking(primary, '--standbys', '0'))).toMatch(
      /^warn: nobody uses slot second, which holds back \d MiB of WAL$/,
    );
    expect(said(await asking(primary, '--standbys', '0', '--slot-fail', '1M'))).toMatch(
      /^fail: slot second holds back \d MiB of WAL; nobody uses/,
    );
  });

  test('an agent sees the standby cut off, lets a hook mend it, and verifies that by the same script', async () => {
    const { primary, standby } = await pair();
    const rules = join(primary.data, 'pg_hba.conf');
    const kept = `${rules}.kept`;
    copyFileSync(rules, kept);
    const where = `-h 127.0.0.1 -p ${primary.port} -U postgres postgres`;
    const { agent, ends, reaches, recovers } = await watch({
      probe: {
        exec: {
          command: [contrib('postgresql-replication.sh'), '--role', 'standby'],
          env: { PGHOST: '127.0.0.1', PGPORT: standby.port, PGUSER: 'postgres' },
        },
      },
      rules: { interval: '5s', timeout: '5s', retry_interval: '200ms' },
      mend: `cp '${kept}' '${rules}' && '${found![3]}' -Xqwc 'SELECT pg_reload_conf()' ${where} >/dev/null`,
    });
    const up = await reaches('up');
    writeFileSync(rules, 'host postgres all 127.0.0.1/32 trust\n');
    await primary.sql('SELECT pg_reload_conf()');
    process.kill(Number(await standby.sql('SELECT pid FROM pg_stat_wal_receiver')), 'SIGTERM');
    const down = await reaches('down', up);
    expect(down['message']).toMatch(/^broken replication: /);
    await recovers(down);
    await ends([{ reason: 'exit', class: 'explicit' }]);
    expect(agent.records).not.toContainEqual(expect.objectContaining({ reason: 'timeout' }));
  });

  test('synchronous commit without its standby', async () => {
    const { primary, standby } = await pair();
    const wanted = "ALTER SYSTEM SET synchronous_standby_names = 'walreceiver'";
    await primary.sql(wanted);
    await primary.sql('SELECT pg_reload_conf()');
    await until(
      'the standby to be synchronous',
      async () => (await primary.sql('SELECT sync_state FROM pg_stat_replication')) === 'sync',
    );
    expect((await asking(primary)).status).toBe('ok');
    await standby.stop();
    await until('the walsender to go', async () => (await asking(primary)).status === 'fail');
    expect(said(await asking(primary, '--standbys', '0'))).toMatch(
      /^fail: commits hang: no synchronous standby is connected/,
    );
  });

  test('a standby that was promoted', async () => {
    const { primary, standby } = await pair();
    expect(await standby.sql('SELECT pg_promote(true, 60)')).toBe('t');
    expect(said(await asking(standby, '--role', 'standby'))).toBe(
      'fail: this should be a standby, and is a primary: it was promoted',
    );
    await until('its old primary to notice', async () => (await asking(primary)).status === 'fail');
    expect(said(await asking(primary, '--role', 'primary'))).toMatch(/^fail: broken replication: 0 of 1/);
    expect((await asking(standby, '--role', 'primary', '--standbys', '0')).status).toBe('ok');
  });

  test('a user without rights, one without a login, a server that is not there', async () => {
    const { primary, standby } = await pair();
    await primary.sql('CREATE ROLE nosy LOGIN');
    await until(
      'the role to arrive',
      async () => (await standby.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'nosy'")) === '1',
    );
    const by = (user: string, port = primary.port): Promise<Outcome> =>
      ask('postgresql-replication.sh', [], {
        PGHOST: '127.0.0.1',
        PGPORT: String(port),
        PGUSER: user,
        PGDATABASE: 'postgres',
      });
    expect(said(await by('nosy'))).toBe(
      'void: the user nosy may not read pg_stat_replication: grant it pg_monitor',
    );
    expect(said(await by('nosy', standby.port))).toBe(
      'void: the user nosy may not read pg_stat_wal_receiver: grant it pg_monitor',
    );
    await primary.sql('GRANT pg_monitor TO nosy');
    expect((await by('nosy')).status).toBe('ok');
    expect(said(await by('nobody-knows'))).toMatch(/^void: the login was refused: .*does not exist/);
    expect(said(await by('nosy', await freePort()))).toMatch(/^fail: no answer: .*Connection refused/);
  });
});

describe('postgresql-replication.sh, misused', () => {
  test.each([
    [['--rule', 'primary'], 'there is no setting --rule'],
    [['--role'], '--role needs a value'],
    [['--role', 'master'], '--role is primary, standby or any, not master'],
    [['--lag-warn', '5T'], '5T is not a size: a whole number, with k, M or G behind it'],
    [['--standbys', 'two'], 'two is not a whole number'],
  ])('%j', async (args, message) => {
    expect(said(await ask('postgresql-replication.sh', args))).toBe(`void: ${message}`);
  });

  test('no psql', async () => {
    const outcome = await ask('postgresql-replication.sh', [], { PATH: onlyThese('tr', 'sed', 'id') });
    expect(said(outcome)).toMatch(/^void: there is no psql here/);
  });
});
