import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { answersOf } from '../support/answers.ts';
import { ask, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';

const alsoIn = ['/usr/lib/rabbitmq/bin'];
// Debian's programs of these names in sbin change to a user of their own; those here do not.
const found = findPrograms([
  { program: 'rabbitmq-defaults', from: 'rabbitmq-server', alsoIn },
  { program: 'epmd', from: 'erlang-base' },
  { program: 'python3', from: 'python3' },
]);
const BIN = '/usr/lib/rabbitmq/bin';

const promised = promisify(execFile);

interface Broker extends RealServer {
  readonly url: string;
  control(...words: string[]): Promise<string>;
}

/** A node of the test's own, with its management plugin, and an epmd of its own. */
async function rabbitmq(): Promise<Broker> {
  const [port, amqp, distribution, epmdPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, 'plugins'), '[rabbitmq_management].\n');
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${amqp}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${port}`,
    'collect_statistics_interval = 1000',
  ];
  writeFileSync(join(cwd, 'rabbit.conf'), `${lines.join('\n')}\n`);
  const settings = {
    HOME: cwd,
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_NODENAME: 'vitald@localhost',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(cwd, 'mnesia'),
    RABBITMQ_LOG_BASE: join(cwd, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(cwd, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(cwd, 'rabbit.conf'),
    RABBITMQ_PID_FILE: join(cwd, 'pid'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
  };
  const epmd = realServer({
    argv: [found![1], '-address', '127.0.0.1', '-port', String(epmdPort)],
    port: epmdPort,
    cwd,
  });
  await epmd.start();
  const env = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const url = `http://127.0.0.1:${port}`;
  const server = realServer({
    argv: ['env', ...env, join(BIN, 'rabbitmq-server')],
    port,
    cwd,
    answers: () =>
      ask('rabbitmq.py', ['--url', url]).then(
        ({ status }) => status === 'ok',
        () => false,
      ),
  });
  return {
    ...server,
    url,
    async control(...words) {
      const { stdout } = await promised(join(BIN, 'rabbitmqctl'), words, {
        env: { ...process.env, ...settings },
      });
      return stdout;
    },
  };
}

function asking({ url }: { url: string }, args: string[] = [], env = {}): Promise<Outcome> {
  return ask('rabbitmq.py', ['--url', url, ...args], env);
}

async function call(method: string, url: string, body: object): Promise<void> {
  const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
  const response = await fetch(url, { method, headers: { authorization }, body: JSON.stringify(body) });
  expect(response.ok).toBe(true);
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('rabbitmq.py', { timeout: 120_000 }, () => {
  test('a node, its queue, its alarm, its logins', async () => {
    const broker = await rabbitmq();
    await broker.start();
    const fine = await asking(broker);
    expect(said(fine)).toBe('ok: 1 nodes run, no alarms');
    expect(fine.facts).toEqual({ nodes: 1, nodes_known: 1 });
    expect(said(await asking(broker, ['--nodes', '3']))).toBe('fail: 1 of 3 nodes run');
    expect(said(await asking(broker, ['--queue', 'orders']))).toBe('fail: there is no queue orders');

    await call('PUT', `${broker.url}/api/queues/%2F/orders`, { durable: true });
    for (let n = 0; n < 3; n++) {
      const message = { properties: {}, routing_key: 'orders', payload: 'x', payload_encoding: 'string' };
      await call('POST', `${broker.url}/api/exchanges/%2F/amq.default/publish`, message);
    }
    const queued = (...more: string[]): Promise<Outcome> =>
      asking(broker, ['--queue', 'orders', '--consumers', '0', ...more]);
    await until('the messages to be counted', async () => (await queued()).facts?.['orders depth'] === 3);
    expect(said(await queued())).toBe('ok: 1 nodes run, no alarms, 3 messages in orders');
    expect(said(await queued('--depth-warn', '3'))).toBe('warn: 3 messages in queue orders');
    expect(said(await queued('--depth-fail', '3'))).toBe('fail: 3 messages in queue orders');
    expect(said(await asking(broker, ['--queue', 'orders']))).toBe('fail: queue orders has 0 of 1 consumers');

    expect(said(await asking(broker, [], { RABBITMQ_PASSWORD: 'wrong' }))).toBe(
      'void: the login was refused: status 401',
    );

    await broker.control('set_disk_free_limit', '900000GB');
    await until('the alarm to be up', async () => (await asking(broker)).status === 'fail');
    expect(said(await asking(broker))).toMatch(
      /^fail: (disk alarm on vitald@localhost: publishers are|alarm: )/,
    );
    await broker.control('set_disk_free_limit', '1MB');
    await until('the alarm to be over', async () => (await asking(broker)).status === 'ok');

    await broker.stop();
    expect(said(await asking(broker))).toMatch(/^fail: no answer: .*refused/);
  });

  test('a node that does not run, a partition; after the reference of the management API', async () => {
    const nodes = [
      { name: 'rabbit@a', running: true, mem_alarm: true, disk_free_alarm: false, partitions: [] },
      { name: 'rabbit@b', running: false, partitions: [] },
      { name: 'rabbit@c', running: true, mem_alarm: false, disk_free_alarm: false, partitions: ['rabbit@a'] },
    ];
    const url = await answersOf({
      '/api/nodes': { json: nodes },
      '/api/health/checks/alarms': { status: 503, json: { status: 'failed', reason: 'There are alarms' } },
    });
    expect(said(await asking({ url }))).toBe(
      'fail: node rabbit@b does not run; memory alarm on rabbit@a: publishers are blocked; ' +
        'rabbit@c is cut off from rabbit@a',
    );
  });

  test('another service, a wrong setting', async () => {
    expect(said(await asking({ url: await answersOf({}) }))).toBe(
      "void: status 404 from /api/nodes: is this RabbitMQ's management plugin?",
    );
    expect(said(await ask('rabbitmq.py', ['--queues', 'a']))).toBe(
      'void: unrecognized arguments: --queues a',
    );
  });
});
