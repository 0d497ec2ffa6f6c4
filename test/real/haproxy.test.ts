import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askOnce, outlives } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort, realServer, temporaryDirectory } from '../support/real-server.ts';
import { closedPort, serve } from '../support/servers.ts';

const found = findPrograms([{ program: 'haproxy', from: 'haproxy' }]);

interface Behind {
  /** What the frontend passes requests on to. */
  readonly backend: number;
}

/** A HAProxy of the test's own: one frontend over http, one over tcp, and its own health page. */
async function haproxy({ backend }: Behind) {
  const directory = temporaryDirectory();
  const [port, tcpPort] = [await freePort(), await freePort()];
  const config = join(directory, 'haproxy.cfg');
  writeFileSync(
    config,
    `
defaults
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  retries 0
frontend web
  mode http
  bind 127.0.0.1:${port}
  monitor-uri /alive
  http-request return status 200 content-type application/json string '{"load":0.25,"version":"7"}' if { path /status }
  default_backend nodes
backend nodes
  mode http
  server one 127.0.0.1:${backend}
frontend raw
  mode tcp
  bind 127.0.0.1:${tcpPort}
  default_backend raw-nodes
backend raw-nodes
  mode tcp
  server one 127.0.0.1:${backend}
`,
  );
  const server = realServer({ argv: [found![0], '-f', config, '-db'], port, cwd: directory });
  return { ...server, tcpPort };
}

function node(): Promise<number> {
  return serve(createServer((_request, response) => response.end('ready')));
}

describe.skipIf(!found)('HAProxy', () => {
  test('is alive itself, whatever is behind it', async () => {
    const server = await haproxy({ backend: await closedPort() });
    await server.start();
    const url = `http://127.0.0.1:${server.port}`;
    expect(
      await askOnce({
        alive: { http: `${url}/alive` },
        payload: { http: { url: `${url}/status`, expect: { body: '"load":0' } } },
        node: { http: `${url}/` },
        // The balancer accepts first, and finds that it has nobody to pass it on to.
        raw: {
          tcp: { address: `127.0.0.1:${server.tcpPort}`, send: 'GET / HTTP/1.0\r\n\r\n', expect: 'ready' },
        },
        connect: { tcp: `127.0.0.1:${server.tcpPort}` },
      }),
    ).toMatchObject({
      alive: { status: 'ok', facts: { status: 200 } },
      payload: { status: 'ok' },
      node: { status: 'fail', reason: 'status', class: 'explicit', facts: { status: 503 } },
      raw: { status: 'fail', reason: expect.stringMatching(/^(closed|reset)$/), class: 'explicit' },
      connect: { status: 'ok' },
    });
  });

  test('a node behind it is asked through it, or by its own address', async () => {
    const backend = await node();
    const server = await haproxy({ backend });
    await server.start();
    const url = `http://127.0.0.1:${server.port}/`;
    expect(
      await askOnce({
        through: { http: { url, expect: { body: '^ready$' } } },
        beside: { http: { url, address: `127.0.0.1:${backend}`, expect: { body: '^ready$' } } },
        raw: {
          tcp: { address: `127.0.0.1:${server.tcpPort}`, send: 'GET / HTTP/1.0\r\n\r\n', expect: 'ready' },
        },
      }),
    ).toMatchObject({ through: { status: 'ok' }, beside: { status: 'ok' }, raw: { status: 'ok' } });
  });

  test('frozen, then killed and started anew: found, and verified', async () => {
    const server = await haproxy({ backend: await node() });
    await server.start();
    await outlives(server, { http: `http://127.0.0.1:${server.port}/` });
  });
});
