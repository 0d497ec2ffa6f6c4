import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { REFUSED, SILENT, askOnce, isFrozenThenStopped, outlives, watch } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, wake } from '../support/real-server.ts';

const NOT_SERVING = { reason: 'not_serving', class: 'explicit' };

const SCRIPT = fileURLToPath(new URL('../support/grpc-server.mjs', import.meta.url));

describe('grpc-js with grpc-health-check', () => {
  async function server(): Promise<RealServer> {
    const port = await freePort();
    return realServer({ argv: [process.execPath, SCRIPT, String(port)], port, cwd: temporaryDirectory() });
  }

  test('each service has its own verdict', async () => {
    const { port, start } = await server();
    await start();
    const address = `127.0.0.1:${port}`;
    const said = await askOnce({
      whole: { grpc: address },
      cart: { grpc: { address, service: 'shop.v1.Cart' } },
      till: { grpc: { address, service: 'shop.v1.Till' } },
      unknown: { grpc: { address, service: 'shop.v1.Unknown' } },
    });
    expect(said).toMatchObject({
      whole: { probe: 'grpc', status: 'ok', reason: null, class: null, message: 'SERVING' },
      cart: { status: 'ok' },
      till: { status: 'fail', reason: 'not_serving', class: 'explicit', message: 'NOT_SERVING' },
      unknown: {
        status: 'fail',
        reason: 'status',
        class: 'explicit',
        message: expect.stringContaining('NOT_FOUND'),
      },
    });
  });

  test('not serving, frozen, then killed: an incident each, and the recovery hook once in each', async () => {
    const live = await server();
    await live.start();
    const watching = await watch({
      probe: { grpc: { address: `127.0.0.1:${live.port}`, service: 'shop.v1.Cart' } },
      mend: wake(live),
    });
    const up = await watching.reaches('up');

    process.kill(live.pid(), 'SIGUSR2');
    const unserved = await watching.staysDown(up);
    process.kill(live.pid(), 'SIGUSR2');
    const served = await watching.recovers(unserved);

    await isFrozenThenStopped(watching, live, served);
    await watching.ends([NOT_SERVING, SILENT, REFUSED]);
  });
});

const found = findPrograms([{ program: 'etcd', from: 'etcd-server' }]);

describe.skipIf(!found)('etcd by grpc', () => {
  async function etcd(): Promise<RealServer> {
    const [port, peerPort] = [await freePort(), await freePort()];
    const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
    const directory = temporaryDirectory();
    const places = {
      'data-dir': join(directory, 'data'),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `default=${peerUrl}`,
    };
    return realServer({
      argv: [found![0], ...Object.entries(places).flatMap(([name, value]) => [`--${name}`, value])],
      port,
      cwd: directory,
      // It accepts connections before it has a leader.
      answers: () =>
        fetch(`${url}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
    });
  }

  test('up, frozen, killed and back', async () => {
    const server = await etcd();
    await server.start();
    await outlives(server, { grpc: `127.0.0.1:${server.port}` });
  });
});
