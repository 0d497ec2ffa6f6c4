import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import Libsql from 'libsql';
import { describe, expect, test } from 'vitest';
import { type LogRecord, type RunningAgent, runCli, startAgent } from '../support/cli.ts';
import { closedPort } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

function run(file: string): RunningAgent {
  return startAgent(['run', file, '--log', 'json', '--log-level', 'debug']);
}

function config(targets: string, state = './state/vitald.db'): string {
  return `
confirm: 0s
state: ${state}
defaults: { interval: 200ms, timeout: 150ms, retry_interval: 50ms, failure_threshold: 2, success_threshold: 3, notify: ops }
targets: [${targets}]
hooks: { ops: { shell: "echo $VITALD_EVENT $VITALD_INCIDENT >> told" } }
`;
}

function rows(file: string, sql: string): Record<string, unknown>[] {
  const db = new Libsql(join(dirname(file), 'state/vitald.db'));
  const found = db.prepare(sql).all() as Record<string, unknown>[];
  db.close();
  return found;
}

async function listen(port: number) {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** What is told was written before, and nothing that was told is lost. */
async function crash(agent: RunningAgent): Promise<void> {
  agent.signal('SIGKILL');
  expect((await agent.exited).signal).toBe('SIGKILL');
}

describe('after kill -9', () => {
  test('a target that was down is down, in the same incident, and is told as up once it is', async () => {
    const port = await closedPort();
    const file = yamlFile(config(`{ name: a, tcp: "127.0.0.1:${port}" }`));
    const first = run(file);
    const hook = await first.waitFor(is('hook', { event: 'down', ok: true }));
    // It is on the disk a second later at most.
    while (rows(file, "SELECT * FROM timeline WHERE what = 'hook'").length === 0) {
      await first.waitFor(is('attempt'), { after: first.records.at(-1)! });
    }
    await crash(first);

    const second = run(file);
    const attempt = await second.waitFor(is('attempt'));
    expect(attempt).toMatchObject({ status: 'fail', state: 'down' });
    expect(Number(attempt['attempt'])).toBeGreaterThan(2);
    const server = await listen(port);
    const up = await second.waitFor(is('hook', { event: 'up', ok: true }));
    expect(up['incident']).toBe(hook['incident']);
    second.signal('SIGTERM');
    await second.exited;
    server.close();
    const id = String(hook['incident']);
    expect(readFileSync(join(dirname(file), 'told'), 'utf8')).toBe(`down ${id}\nup ${id}\n`);
    expect(rows(file, 'SELECT key, target, end, closed IS NULL AS open FROM incident')).toEqual([
      { key: id, target: 'a', end: 'up', open: 0 },
    ]);
    expect(rows(file, 'SELECT what FROM timeline ORDER BY id').map(({ what }) => what)).toEqual(
      expect.arrayContaining(['first failure', 'down', 'told', 'hook', 'recovering', 'up']),
    );
  });

  test('a target that was up is up', async () => {
    const server = await listen(0);
    const { port } = server.address() as { port: number };
    const file = yamlFile(config(`{ name: a, tcp: "127.0.0.1:${port}" }`));
    const first = run(file);
    await first.waitFor(is('transition', { to: 'up' }));
    while (rows(file, 'SELECT * FROM target').length === 0) {
      await first.waitFor(is('attempt'), { after: first.records.at(-1)! });
    }
    await crash(first);
    const second = run(file);
    await second.waitFor(is('attempt', { state: 'up' }));
    expect(second.records.filter(is('transition'))).toEqual([]);
    server.close();
  });
});

describe('after an orderly end', () => {
  test('an incident of a target that is gone is closed as abandoned, and said', async () => {
    const port = await closedPort();
    const file = yamlFile(
      config(`{ name: a, tcp: "127.0.0.1:${port}" }, { name: b, tcp: "127.0.0.1:${port}" }`),
    );
    const first = run(file);
    await first.waitFor(is('hook', { target: 'a' }));
    await first.waitFor(is('hook', { target: 'b' }));
    first.signal('SIGTERM');
    await first.exited;
    writeFileSync(file, config(`{ name: b, tcp: "127.0.0.1:${port}" }`));
    const second = run(file);
    const abandoned = await second.waitFor(is('incident abandoned'));
    expect(abandoned['target']).toBe('a');
    second.signal('SIGTERM');
    await second.exited;
    expect(rows(file, `SELECT end FROM incident WHERE target = 'a'`)).toEqual([{ end: 'abandoned' }]);
    expect(rows(file, 'SELECT key FROM target')).toEqual([{ key: 'b' }]);
  });
});

test('a store in trouble is said once with what to do, and stops neither verdicts nor hooks', async () => {
  const file = yamlFile(config(`{ name: a, tcp: "127.0.0.1:${await closedPort()}" }`, '/dev/null/vitald.db'));
  const agent = run(file);
  const trouble = await agent.waitFor(is('store trouble, probing goes on'));
  expect(trouble).toMatchObject({ level: 'error' });
  expect(trouble['detail']).toContain('/dev/null/vitald.db: it cannot be written');
  await agent.waitFor(is('hook', { event: 'down', ok: true }));
  agent.signal('SIGTERM');
  expect((await agent.exited).code).toBe(0);
  expect(agent.records.filter(is('store trouble, probing goes on')).length).toBe(1);
});

test.each([
  ['off', 'off'],
  ['in its default place', ''],
])('state: %s', async (_what, state) => {
  const file = yamlFile(
    config(`{ name: a, tcp: "127.0.0.1:${await closedPort()}" }`).replace(
      /state: .*/,
      state && `state: ${state}`,
    ),
  );
  const home = join(dirname(file), 'home');
  const agent = startAgent(['run', file, '--log', 'json'], { env: { XDG_STATE_HOME: home } });
  await agent.waitFor(is('hook', { event: 'down' }));
  agent.signal('SIGTERM');
  await agent.exited;
  expect(statSync(join(home, 'vitald/vitald.db'), { throwIfNoEntry: false })?.isFile() ?? false).toBe(
    state === '',
  );
});

test('check, once and probe keep nothing', async () => {
  const file = yamlFile(config(`{ name: a, tcp: "127.0.0.1:${await closedPort()}" }`));
  for (const args of [
    ['check', file],
    ['once', file],
    ['probe', 'a', file],
  ])
    await runCli(args);
  expect(statSync(join(dirname(file), 'state'), { throwIfNoEntry: false })).toBe(undefined);
});
