import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { type TlsOptions, createServer } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { http } from '../../../probes/http/probe.ts';
import { websocket } from '../../../probes/websocket/probe.ts';
import { tcp } from '../../../probes/tcp/probe.ts';
import type { Probe } from '../../../src/core/probe.ts';
import { attemptOnce } from '../../support/attempt.ts';
import { createAuthority, opensslProblem } from '../../support/certs.ts';
import { reset } from '../../support/reset.ts';
import { answering, serve, tcpServer } from '../../support/servers.ts';
import { verdict } from '../../support/verdict.ts';

const problem = opensslProblem();
// oxlint-disable-next-line no-console
if (problem) console.warn(`tls.test.ts skips: ${problem}`);

describe.skipIf(problem)('TLS', () => {
  // What is skipped is still collected.
  if (problem) return;
  const ca = createAuthority();
  const stranger = createAuthority();
  afterAll(() => {
    ca.remove();
    stranger.remove();
  });
  const good = ca.issue('good', 'DNS:localhost,DNS:orders.internal,IP:127.0.0.1');
  const expired = ca.issue('expired', 'DNS:localhost,IP:127.0.0.1', -3);
  const other = ca.issue('other', 'DNS:other.internal');
  const client = ca.issue('client', 'DNS:client');
  const trusted = { ca: ca.certFile };

  /** A TLS server that greets and answers HTTP; the names that clients asked for. */
  async function tlsServer(
    options: TlsOptions = good,
    { greets = true } = {},
  ): Promise<{ port: number; names: (string | false)[] }> {
    const names: (string | false)[] = [];
    const server = createServer(options, (socket) => {
      names.push((socket as unknown as { servername: string | false }).servername);
      socket.on('error', () => {});
      if (greets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    });
    return { port: await serve(server), names };
  }

  async function bothProbes(port: number, tls: unknown): Promise<string[]> {
    const attempts = await Promise.all([
      attemptOnce(tcp, { address: `127.0.0.1:${port}`, tls }),
      attemptOnce(tcp, { address: `127.0.0.1:${port}`, tls, expect: 'hi' }),
      attemptOnce(http, { url: `https://127.0.0.1:${port}/`, ...(typeof tls === 'object' && { tls }) }),
    ]);
    return attempts.map((attempt) => `${verdict(attempt)}: ${attempt.outcome.message}`);
  }

  test('a chain that is refused is shown all the same, once', async () => {
    const { port } = await tlsServer({ ...expired, cert: expired.cert + ca.cert });
    const chains: unknown[] = [];
    const settings = { address: `127.0.0.1:${port}`, tls: trusted };
    const attempt = await attemptOnce(tcp, settings, {
      onTrace: (entry) => entry.kind === 'certificates' && chains.push(entry.chain),
    });
    expect(verdict(attempt)).toBe('fail tls explicit');
    expect(chains).toEqual([
      [
        {
          subject: 'expired',
          issuer: 'test authority',
          names: expect.any(String),
          daysLeft: expect.any(Number),
        },
        { subject: 'test authority', issuer: 'test authority', names: '', daysLeft: expect.any(Number) },
      ],
    ]);
  });

  describe('verification', () => {
    test.each([
      ['a certificate of the `ca`', good, trusted, /^ok: /],
      ['the name in `server_name`', good, { ...trusted, server_name: 'orders.internal' }, /^ok: /],
      ['a certificate of nobody known', good, true, /^fail tls explicit: unable to verify/],
      [
        'a certificate of another ca',
        good,
        { ca: stranger.certFile },
        /^fail tls explicit: unable to verify/,
      ],
      ['one that is signed by itself', stranger, trusted, /^fail tls explicit: self.signed certificate/],
      ['an expired one', expired, trusted, /^fail tls explicit: certificate has expired/],
      ['one for another name', other, trusted, /^fail tls explicit: IP: 127.0.0.1 is not in/],
      [
        'another `server_name`',
        good,
        { ...trusted, server_name: 'x' },
        /^fail tls explicit: Host: x. is not in/,
      ],
      ['`insecure` and an expired one', expired, { insecure: true }, /^ok: /],
      ['`insecure` and another name', other, { insecure: true }, /^ok: /],
      ['`insecure` and one signed by itself', stranger, { insecure: true }, /^ok: /],
    ])('%s', async (_what, certificate, tls, expected) => {
      const { port } = await tlsServer(certificate);
      for (const said of await bothProbes(port, tls)) expect(said).toMatch(expected);
    });

    test.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', async (version) => {
      const { port } = await tlsServer({ ...good, minVersion: version, maxVersion: version });
      for (const said of await bothProbes(port, trusted)) expect(said).toMatch(/^ok/);
    });

    test('a server without what we speak', async () => {
      const { port } = await tlsServer({
        ...good,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers: 'ALL@SECLEVEL=0',
      });
      for (const said of await bothProbes(port, trusted)) expect(said).toMatch(/^fail tls explicit/);
    });
  });

  describe('the name that is asked for', () => {
    test.each([
      ['an address is none', {}, false],
      ['`server_name`', { server_name: 'orders.internal' }, 'orders.internal'],
    ])('tcp: %s', async (_what, tls, name) => {
      const { port, names } = await tlsServer();
      const settings = { address: `127.0.0.1:${port}`, tls: { ...trusted, ...tls } };
      expect(verdict(await attemptOnce(tcp, settings))).toBe('ok');
      expect(names).toEqual([name]);
    });

    test.each([
      ["the URL's host, whatever is dialled and whatever the Host header says", {}, 'localhost'],
      ['`server_name`', { server_name: 'orders.internal' }, 'orders.internal'],
    ])('http: %s', async (_what, tls, name) => {
      const { port, names } = await tlsServer();
      const attempt = await attemptOnce(http, {
        url: 'https://localhost:1/',
        address: `127.0.0.1:${port}`,
        headers: { host: 'virtual.internal' },
        tls: { ...trusted, ...tls },
      });
      expect(verdict(attempt)).toBe('ok');
      expect(names).toEqual([name]);
    });
  });

  describe('client certificates', () => {
    const own = { ...trusted, cert: client.certFile, key: client.keyFile };
    const foreign = { ...trusted, cert: stranger.certFile, key: stranger.keyFile };

    describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
      test.each([
        ['the right one', own, /^ok/],
        ['none', trusted, /^fail tls explicit/],
        // Servers that look at it after the handshake close without an alert.
        ['a foreign one', foreign, /^fail (tls|closed) explicit/],
      ])('%s', async (_what, tls, expected) => {
        const { port } = await tlsServer({
          ...good,
          ca: ca.cert,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version,
        });
        for (const said of await bothProbes(port, tls)) expect(said).toMatch(expected);
        const sending = await attemptOnce(tcp, { address: `127.0.0.1:${port}`, tls, send: 'x' });
        expect(verdict(sending)).toMatch(expected);
      });
    });

    test('a refusal that cannot come any more is not waited for beyond the timeout', async () => {
      const { port } = await tlsServer(
        { ...good, minVersion: 'TLSv1.3', ca: ca.cert, requestCert: true },
        { greets: false },
      );
      const settings = { address: `127.0.0.1:${port}`, tls: own };
      expect(verdict(await attemptOnce(tcp, settings, { timeoutMs: 3_000 }))).toBe('ok');
    });
  });

  describe('an end inside the handshake', () => {
    test.each([
      [
        'a server that speaks something else',
        () => answering('SSH-2.0-x\r\n', { close: false }),
        'fail tls explicit',
      ],
      [
        'an orderly end',
        () => tcpServer((socket) => void socket.once('data', () => socket.end())),
        'fail closed explicit',
      ],
      [
        'a reset',
        () => tcpServer((socket) => void socket.once('data', () => reset(socket))),
        'fail reset explicit',
      ],
      ['silence', () => tcpServer(() => {}), 'fail timeout silent'],
    ])('%s', async (_what, listen, expected) => {
      const port = await listen();
      const probes: [Probe<never>, unknown][] = [
        [tcp as Probe<never>, { address: `127.0.0.1:${port}`, tls: true }],
        [http as Probe<never>, `https://127.0.0.1:${port}/`],
      ];
      for (const [probe, settings] of probes) {
        expect(verdict(await attemptOnce(probe, settings, { timeoutMs: 200 }))).toBe(expected);
      }
    });
  });

  test('a response over TLS that breaks off by a reset', async () => {
    const server = createHttps(good, (_request, answer) => {
      answer.writeHead(200, { 'content-length': 10 });
      answer.write('half', () => answer.socket?.destroy());
    });
    const url = `https://127.0.0.1:${await serve(server)}/`;
    expect(verdict(await attemptOnce(http, { url, tls: trusted }))).toMatch(/^fail (closed|reset) explicit$/);
  });

  describe('files', () => {
    test('one that has changed is read anew, one that has gone is our own trouble', async () => {
      const file = `${ca.certFile}.copy`;
      writeFileSync(file, stranger.cert);
      const { port } = await tlsServer();
      const settings = tcp.settings.parse({ address: `127.0.0.1:${port}`, tls: { ca: file } });
      const probe: Probe = { ...(tcp as Probe), settings: { parse: () => settings } as never };
      expect(verdict(await attemptOnce(probe, {}))).toBe('fail tls explicit');
      writeFileSync(file, readFileSync(ca.certFile));
      utimesSync(file, new Date(), new Date(2_000_000_000_000));
      expect(verdict(await attemptOnce(probe, {}))).toBe('ok');
      rmSync(file);
      const { outcome } = await attemptOnce(probe, {});
      expect(outcome).toMatchObject({ status: 'void', message: expect.stringContaining('ENOENT') });
    });

    test('authorities that are cut off while they are written are our own trouble, and no verdict', async () => {
      const file = `${ca.certFile}.rotating`;
      writeFileSync(file, ca.cert);
      const { port } = await tlsServer();
      const settings = tcp.settings.parse({ address: `127.0.0.1:${port}`, tls: { ca: file } });
      const probe: Probe = { ...(tcp as Probe), settings: { parse: () => settings } as never };
      expect(verdict(await attemptOnce(probe, {}))).toBe('ok');
      let at = 2_000_000_000_000;
      for (const [content, message] of [
        ['', 'holds no certificate'],
        [ca.cert.slice(0, ca.cert.length / 2), 'holds no certificate'],
        [ca.cert + ca.cert.slice(0, ca.cert.length / 2), 'is cut off in a certificate'],
      ] as const) {
        writeFileSync(file, content);
        utimesSync(file, new Date(), new Date((at += 1_000)));
        const { outcome } = await attemptOnce(probe, {});
        expect(outcome).toMatchObject({ status: 'void', message: expect.stringContaining(message) });
      }
      rmSync(file);
    });

    const empty = `${ca.certFile}.empty`;
    writeFileSync(empty, '');
    test.each([
      [{ ca: './none.pem' }, /none.pem does not exist/],
      [{ ca: empty }, /empty holds no certificate \(PEM\)/],
      [{ ca: client.keyFile }, /holds no certificate \(PEM\)/],
      [{ cert: client.certFile, key: stranger.keyFile }, /key values mismatch/],
      [{ cert: client.certFile, key: client.certFile }, /unsupported/],
      [{ cert: client.certFile }, /cert and key go together/],
      [{ insecure: 'perhaps' }, /expected true or false/],
      [{ minimum: 'TLSv1.3' }, /Unrecognized key: "minimum"/],
    ])('%j is refused at load', (tls, message) => {
      const parsed = tcp.settings.safeParse({ address: 'h:1', tls });
      expect(parsed.error?.issues.map((issue) => issue.message).join()).toMatch(message);
    });
  });

  test('facts of the certificate, and the phase of the handshake', async () => {
    const { port } = await tlsServer();
    const { outcome, phases } = await attemptOnce(tcp, { address: `127.0.0.1:${port}`, tls: trusted });
    expect(outcome.facts).toMatchObject({ tls_days_left: 1, tls_version: 'TLSv1.3' });
    expect(Object.keys(phases)).toEqual(['connect', 'tls']);
  });
});

test.each([
  ['http', http, 'https://h/'],
  ['websocket', websocket, 'wss://h/'],
])('%s: `tls: true` is TLS with the defaults; what the URL says cannot be denied', (_kind, probe, url) => {
  const withDefaults = probe.settings.parse({ url, tls: {} }) as { tls?: unknown };
  const withTrue = probe.settings.parse({ url, tls: true }) as { tls?: unknown };
  expect(withTrue.tls).toEqual(withDefaults.tls);
  expect(withTrue.tls).toMatchObject({ insecure: false });
  expect(probe.settings.safeParse({ url, tls: false }).success).toBe(false);
});
