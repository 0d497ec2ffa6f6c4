import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askOnce } from '../support/incidents.ts';
import { NGINX, OPENSSL, nginx } from '../support/nginx.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort, realServer, temporaryDirectory } from '../support/real-server.ts';

const found = findPrograms([{ program: 'tinyproxy', from: 'tinyproxy-bin' }, NGINX, OPENSSL]);

describe.skipIf(!found)('through tinyproxy', () => {
  test('http by its whole URL, https by a tunnel, with credentials', async () => {
    const [tinyproxy, program, openssl] = found!;
    const directory = temporaryDirectory();
    const port = await freePort();
    const config = join(directory, 'tinyproxy.conf');
    writeFileSync(
      config,
      `Port ${port}\nListen 127.0.0.1\nTimeout 20\nBasicAuth agent s3cret\nLogLevel Error\n`,
    );
    const proxy = realServer({ argv: [tinyproxy, '-d', '-c', config], port, cwd: directory });
    const [plain, secure] = [await nginx(program), await nginx(program, { openssl })];
    for (const server of [proxy, plain, secure]) await server.start();

    const good = `http://agent:s3cret@127.0.0.1:${port}`;
    const over = (url: string, more: object = {}) => ({ http: { url, proxy: good, ...more } });
    const tls = { ca: secure.certificate };
    const said = await askOnce({
      plain: over(`http://127.0.0.1:${plain.port}/healthz`, { expect: { body: 'ok' } }),
      secure: over(`https://127.0.0.1:${secure.port}/healthz`, { tls, expect: { body: 'ok' } }),
      stranger: over(`https://127.0.0.1:${secure.port}/healthz`),
      away: over(`https://127.0.0.1:${await freePort()}/`, { tls }),
      unknown: {
        http: { url: `https://127.0.0.1:${secure.port}/`, tls, proxy: `http://127.0.0.1:${port}` },
      },
    });
    expect(said).toMatchObject({
      plain: { status: 'ok' },
      secure: { status: 'ok', facts: { tls_days_left: 29 } },
      stranger: { status: 'fail', reason: 'tls' },
      away: {
        status: 'fail',
        reason: 'unreachable',
        class: 'path',
        message: expect.stringMatching(/answered 50\d to CONNECT/),
      },
      unknown: {
        status: 'fail',
        reason: 'status',
        message: expect.stringMatching(/answered 407 to CONNECT/),
      },
    });
  });
});
