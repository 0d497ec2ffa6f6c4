import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { answersOf } from '../support/answers.ts';
import { contrib, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';
import { runScript } from '../support/script.ts';

const found = findPrograms([{ program: 'nats-server', from: 'nats-server' }]);

async function asking(url: string, given: object = {}): Promise<Outcome> {
  return (await runScript(contrib('nats.mjs'), { given: { url, ...given } })).outcome;
}

interface Nats extends RealServer {
  readonly url: string;
  readonly clientPort: number;
}

/** Servers of one cluster, not started yet; each with JetStream. */
async function cluster(size: number, more = ''): Promise<Nats[]> {
  const routes = await Promise.all(Array.from({ length: size }, freePort));
  const all = routes.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  return Promise.all(
    routes.map(async (routePort, index) => {
      const [clientPort, port] = [await freePort(), await freePort()];
      const cwd = temporaryDirectory();
      const file = join(cwd, 'nats.conf');
      const clustered = `cluster { name: shop, listen: "127.0.0.1:${routePort}", routes: [${all}] }`;
      writeFileSync(
        file,
        `server_name: n${index}
         listen: "127.0.0.1:${clientPort}"
         http: "127.0.0.1:${port}"
         jetstream { store_dir: "${cwd}", max_memory_store: 1MB, max_file_store: 10MB }
         ${size > 1 ? clustered : ''}
         ${more}`,
      );
      const server = realServer({ argv: [found![0], '-c', file], port, cwd });
      return { ...server, url: `http://127.0.0.1:${port}`, clientPort };
    }),
  );
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('nats.mjs', { timeout: 120_000 }, () => {
  test('one server with JetStream; its connections; killed', async () => {
    const [server] = (await cluster(1, 'max_connections: 4')) as [Nats];
    await server.start();
    await until('the server to be healthy', async () => (await asking(server.url)).status === 'ok');
    const fine = await asking(server.url, { jetstream: true });
    expect(said(fine)).toBe('ok: n0 is healthy, 0 connections');
    expect(fine.facts).toMatchObject({
      version: expect.any(String),
      connections: 0,
      streams: 0,
      jetstream_storage_bytes: 0,
    });
    const client = connect(server.clientPort, '127.0.0.1');
    await until(
      'the client to be counted',
      async () => (await asking(server.url)).facts?.['connections'] === 1,
    );
    expect(said(await asking(server.url, { warn_percent: 25 }))).toBe(
      'warn: n0: connections: 25 % of what is allowed',
    );
    expect(said(await asking(server.url, { warn_percent: 5, fail_percent: 25 }))).toBe(
      'fail: n0: connections: 25 % of what is allowed',
    );
    client.destroy();
    expect(said(await asking(server.url, { routes: 1 }))).toBe(
      'fail: n0: connected to 0 of 1 servers of the cluster',
    );
    await server.stop();
    expect(await asking(server.url)).toMatchObject({ status: 'fail', reason: 'refused' });
  });

  test('a cluster of three that loses one, then its quorum', async () => {
    const servers = await cluster(3);
    const [one, second, third] = servers as [Nats, Nats, Nats];
    await Promise.all(servers.map(({ start }) => start()));
    const seen = (): Promise<Outcome> => asking(one.url, { routes: 2, jetstream: true });
    await until('the cluster to be whole', async () => (await seen()).status === 'ok');
    expect((await seen()).facts).toMatchObject({ routed_servers: 2, meta_size: 3 });
    await third.stop();
    await until('one to be missed', async () => (await seen()).status === 'fail');
    expect(said(await seen())).toMatch(
      /^fail: (n0: connected to 1 of 2 servers of the cluster|not healthy: )/,
    );
    await second.stop();
    await until('the quorum to be missed', async () => (await asking(one.url)).status === 'fail');
    await Promise.all([second.start(), third.start()]);
    await until('the cluster to be whole again', async () => (await seen()).status === 'ok');
  });
});

describe('nats.mjs, misused', () => {
  test('JetStream that is off, another service, a refused login', async () => {
    const varz = { server_id: 'NX', server_name: 'n0', version: '2.10.1', connections: 1, routes: 0 };
    const plain = await answersOf({ '/healthz': { json: { status: 'ok' } }, '/varz': { json: varz } });
    expect(said(await asking(plain))).toBe('ok: n0 is healthy, 1 connections');
    expect(said(await asking(plain, { jetstream: true }))).toBe('fail: n0: JetStream is off');
    const ill = {
      status: 503,
      json: { status: 'unavailable', error: 'JetStream has not established contact with a meta leader' },
    };
    expect(said(await asking(await answersOf({ '/healthz': ill })))).toBe(
      'fail: not healthy: JetStream has not established contact with a meta leader',
    );
    expect(said(await asking(await answersOf({})))).toMatch(/^void: no health in the answer \(status 404\)/);
    expect(said(await asking(await answersOf({ '/healthz': { status: 401, text: '' } })))).toBe(
      'void: the login was refused: status 401',
    );
  });

  test.each<[object, RegExp]>([
    [{ ulr: 'x' }, /there is no setting ulr/],
    [{ url: 'localhost:8222' }, /url: http:\/\/host:port is needed/],
    [{ url: 'http://a', routes: 'two' }, /routes: two is not a number/],
  ])('%j', async (given, message) => {
    const { outcome } = await runScript(contrib('nats.mjs'), { given });
    expect(outcome.status).toBe('void');
    expect(outcome.message).toMatch(message);
  });
});
