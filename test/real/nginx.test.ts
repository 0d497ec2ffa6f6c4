import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { http } from '../../probes/http/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { type Authority, createAuthority } from '../support/certs.ts';
import { REFUSED, SILENT, askOnce, watch } from '../support/incidents.ts';
import { NGINX, type Nginx, OPENSSL, nginx } from '../support/nginx.ts';
import { findPrograms } from '../support/programs.ts';

const found = findPrograms([NGINX]);

/** The hook does all of it: it wakes the server, and starts the one that has ended anew. */
async function isMended(server: Nginx, probe: Readonly<Record<string, unknown>>): Promise<void> {
  const { ends, reaches, recovers } = await watch({ probe, mend: server.mend });
  const up = await reaches('up');
  server.freeze();
  const thawed = await recovers(await reaches('down', up));
  await server.stop();
  await recovers(await reaches('down', thawed));
  await ends([SILENT, REFUSED]);
}
describe.skipIf(!found)('nginx over http', () => {
  test('its answers are judged by status, body and headers', async () => {
    const server = await nginx(found![0]);
    await server.start();
    const url = `http://127.0.0.1:${server.port}`;
    const expecting = (path: string, expect: unknown) => ({ http: { url: `${url}${path}`, expect } });
    const said = await askOnce({
      fine: { http: `${url}/healthz` },
      text: expecting('/healthz', {
        body: '"status":"(ok|green)"',
        headers: { 'content-type': '^application/json' },
      }),
      moved: { http: { url: `${url}/moved`, redirects: 1 } },
      broken: { http: `${url}/broken` },
      welcome: expecting('/broken', { status: [503] }),
      other: expecting('/healthz', { body: 'green' }),
      absent: { http: `${url}/absent` },
    });
    expect(said).toMatchObject({
      fine: { probe: 'http', status: 'ok', reason: null, class: null, facts: { status: 200 } },
      text: { status: 'ok' },
      moved: { status: 'ok', facts: { status: 200 } },
      broken: { status: 'fail', reason: 'status', class: 'explicit', facts: { status: 503 } },
      welcome: { status: 'ok' },
      other: { status: 'fail', reason: 'mismatch', class: 'explicit' },
      absent: { status: 'fail', reason: 'status', facts: { status: 404 } },
    });
  });

  test('its JSON is judged by conditions, compressed or not, and read into facts', async () => {
    const server = await nginx(found![0]);
    await server.start();
    const url = `http://127.0.0.1:${server.port}/requests`;
    const said = await askOnce({
      plain: {
        http: { url, expect: { cel: 'json.load < 0.9 && status == 200' }, facts: { load: 'json.load' } },
      },
      gzip: {
        http: {
          url,
          decompress: true,
          expect: { headers: { 'content-encoding': '^gzip$' }, json: { '$.load': '< 0.9' } },
        },
      },
      loaded: { http: { url, warn: { cel: 'json.load < 0.1' } } },
    });
    expect(said).toMatchObject({
      plain: { status: 'ok', facts: { status: 200, load: 0.5 } },
      gzip: { status: 'ok' },
      loaded: { status: 'warn', message: 'warn.cel: it is false: json.load is 0.5' },
    });
  });

  test('a kept connection serves one attempt after the other, and a restart fails none', async () => {
    const server = await nginx(found![0]);
    await server.start();
    const settings = http.settings.parse({
      url: `http://127.0.0.1:${server.port}/requests`,
      connection: 'reuse',
      facts: { requests: 'json.requests' },
    });
    const same = { ...http, settings: z.custom<typeof settings>() };
    const requests = async (): Promise<unknown> =>
      (await attemptOnce(same, settings, { timeoutMs: 20_000 })).outcome.facts?.['requests'];
    expect([await requests(), await requests(), await requests()]).toEqual([1, 2, 3]);
    await server.stop();
    await server.start();
    expect([await requests(), await requests()]).toEqual([1, 2]);
  });

  test('frozen, then killed: the recovery hook wakes it, then starts it anew, once each time', async () => {
    const server = await nginx(found![0]);
    await server.start();
    await isMended(server, { http: `http://127.0.0.1:${server.port}/healthz` });
  });
});

const foundBoth = findPrograms([NGINX, OPENSSL]);

describe.skipIf(!foundBoth)('nginx over https', () => {
  test('its certificate is checked', async () => {
    const [program, openssl] = foundBoth!;
    const server = await nginx(program, { openssl });
    await server.start();
    const url = `https://127.0.0.1:${server.port}/healthz`;
    const { certificate: ca } = server;
    const said = await askOnce({
      trusted: { http: { url, tls: { ca } } },
      named: { http: { url, tls: { ca, server_name: 'orders.test' } } },
      stranger: { http: url },
      impostor: { http: { url, tls: { ca, server_name: 'search.test' } } },
      unchecked: { http: { url, tls: { insecure: true } } },
      plain: { http: url.replace('https', 'http') },
      tcp: { tcp: { address: `127.0.0.1:${server.port}`, tls: { ca } } },
    });
    expect(said).toMatchObject({
      trusted: { status: 'ok', facts: { status: 200 } },
      named: { status: 'ok' },
      stranger: { status: 'fail', reason: 'tls', class: 'explicit' },
      impostor: { status: 'fail', reason: 'tls', class: 'explicit' },
      unchecked: { status: 'ok' },
      plain: { status: 'fail', reason: 'status', facts: { status: 400 } },
      tcp: { status: 'ok', facts: { tls_days_left: 29 } },
    });
  });

  test('it serves those whose certificate it trusts', async () => {
    const [program, openssl] = foundBoth!;
    const [mine, strangers] = [createAuthority(), createAuthority()];
    onTestFinished(() => {
      mine.remove();
      strangers.remove();
    });
    const server = await nginx(program, { openssl, clientCa: mine.certFile });
    await server.start();
    const url = `https://127.0.0.1:${server.port}/healthz`;
    const { certificate: ca } = server;
    const asking = (authority: Authority) => {
      const { certFile: cert, keyFile: key } = authority.issue('agent', 'DNS:agent');
      return { http: { url, tls: { ca, cert, key } } };
    };
    const said = await askOnce({
      known: asking(mine),
      stranger: asking(strangers),
      nobody: { http: { url, tls: { ca } } },
    });
    expect(said).toMatchObject({
      known: { status: 'ok', facts: { status: 200 } },
      stranger: { status: 'fail', reason: 'status', class: 'explicit', facts: { status: 400 } },
      nobody: { status: 'fail', reason: 'status', class: 'explicit', facts: { status: 400 } },
    });
  });

  test('frozen, then killed: the recovery hook wakes it, then starts it anew, once each time', async () => {
    const [program, openssl] = foundBoth!;
    const server = await nginx(program, { openssl });
    await server.start();
    await isMended(server, {
      http: { url: `https://127.0.0.1:${server.port}/healthz`, tls: { ca: server.certificate } },
    });
  });
});

describe.skipIf(!foundBoth)('nginx over HTTP/2', () => {
  test('by ALPN over https, by prior knowledge over http', async () => {
    const [program, openssl] = foundBoth!;
    const secure = await nginx(program, { openssl, http2: true });
    const clear = await nginx(program, { http2: true });
    const old = await nginx(program, { openssl });
    for (const server of [secure, clear, old]) await server.start();
    const asking = (server: Nginx, scheme: string, path: string, more: object = {}) => ({
      http: {
        url: `${scheme}://127.0.0.1:${server.port}${path}`,
        version: 2,
        ...(scheme === 'https' && { tls: { ca: server.certificate } }),
        ...more,
      },
    });
    const said = await askOnce({
      secure: asking(secure, 'https', '/healthz', { expect: { body: '"status":"(ok|green)"' } }),
      clear: asking(clear, 'http', '/healthz', { expect: { headers: { 'content-type': 'json' } } }),
      moved: asking(secure, 'https', '/moved', { redirects: 1 }),
      broken: asking(clear, 'http', '/broken'),
      kept: asking(secure, 'https', '/healthz', { connection: 'reuse' }),
      posted: asking(clear, 'http', '/healthz', {
        method: 'POST',
        body: 'x',
        expect: { status: [405, 200] },
      }),
      old: asking(old, 'https', '/healthz'),
    });
    expect(said).toMatchObject({
      secure: { status: 'ok', facts: { status: 200 } },
      clear: { status: 'ok' },
      moved: { status: 'ok' },
      broken: { status: 'fail', reason: 'status', facts: { status: 503 } },
      kept: { status: 'ok' },
      posted: { status: 'ok' },
      old: { status: 'fail', class: 'explicit' },
    });
  });
});
