import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer as createHttp2 } from 'node:http2';
import { type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { type Connection, type Endpoint, type TlsRequest, dial } from '../../../probes/wire/dial.ts';
import { exec } from '../../../probes/exec/probe.ts';
import { grpc } from '../../../probes/grpc/probe.ts';
import { http } from '../../../probes/http/probe.ts';
import { tcp } from '../../../probes/tcp/probe.ts';
import type { Probe } from '../../../src/core/probe.ts';
import { createSystemClock } from '../../../src/runtime/system-clock.ts';
import { attemptOnce } from '../../support/attempt.ts';
import { createAuthority, opensslProblem } from '../../support/certs.ts';
import { reset } from '../../support/reset.ts';
import { answering, closedPort, serve, tcpServer } from '../../support/servers.ts';
import { verdict } from '../../support/verdict.ts';
import { eventually } from '../../support/eventually.ts';

const TCP_TABLE = '/proc/net/tcp';
// oxlint-disable-next-line no-console
if (!existsSync(TCP_TABLE)) console.warn(`dial.test.ts looks for no TIME_WAIT: there is no ${TCP_TABLE}`);

const clock = createSystemClock();

function dialled(endpoint: Endpoint, signal: AbortSignal, tls?: TlsRequest): Promise<Connection> {
  return dial(
    endpoint,
    { signal, clock, deadline: clock.now() + 10_000, enter: () => {}, target: 't' },
    { tls },
  );
}

function at(port: number): Endpoint {
  return { host: '127.0.0.1', port };
}

test('a socket whose errors nobody listens for does not end the process', async () => {
  const port = await tcpServer((socket) => void socket.once('data', () => reset(socket)));
  const { socket, close } = await dialled(at(port), new AbortController().signal);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume().write('x');
  await closed;
  close();
  close();
});

test.skipIf(!existsSync(TCP_TABLE))(
  'who is left behind is left by a reset: no port of ours waits in TIME_WAIT',
  async () => {
    const { signal } = new AbortController();
    const port = await tcpServer((socket) => socket.resume());
    for (let round = 0; round < 100; round++) (await dialled(at(port), signal)).close();
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const waiting = readFileSync(TCP_TABLE, 'utf8').match(new RegExp(`:${hex} 06 `, 'g')) ?? [];
    // A few: the server may be quicker with its own end than we with the reset.
    expect(waiting.length).toBeLessThan(20);
  },
);

describe('abort', () => {
  test('before: nothing is dialled', async () => {
    const port = await tcpServer(() => {});
    await expect(dialled(at(port), AbortSignal.abort(new Error('off')))).rejects.toThrow('off');
  });

  test('while connected, the socket goes', async () => {
    const abort = new AbortController();
    const { socket } = await dialled(at(await tcpServer(() => {})), abort.signal);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    abort.abort();
    await closed;
  });

  test('in the handshake', async () => {
    const abort = new AbortController();
    const port = await tcpServer((socket) => void socket.once('data', () => abort.abort(new Error('off'))));
    const tls = { settings: { insecure: true }, host: 'h' };
    await expect(dialled(at(port), abort.signal, tls)).rejects.toThrow('off');
  });
});

/** A listening socket whose queue is full: requests to connect get no answer, as from a frozen host. */
const FULL = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(workerData, 0, 0);
    process.exit();
  });
`;

test('no answer to the connection request: connect_timeout, and the evidence is of the path', async () => {
  const hold = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(FULL, { eval: true, workerData: hold });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = Array.from({ length: 6 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await eventually(() => expect(fillers.filter(({ connecting }) => !connecting).length).toBeGreaterThan(1));
  // Those that got in have filled the queue; the kernel drops requests from now on.
  const attempt = await attemptOnce(tcp, `127.0.0.1:${port}`, { timeoutMs: 150 });
  for (const socket of fillers) socket.destroy();
  Atomics.store(hold, 0, 1);
  Atomics.notify(hold, 0);
  await worker.terminate();
  expect(verdict(attempt)).toBe('fail connect_timeout path');
  expect(Object.keys(attempt.phases)).toEqual(['connect']);
});

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`dial.test.ts looks for no leak over TLS: ${noOpenssl}`);

describe('after hundreds of attempts', () => {
  /** What the process holds: descriptors where the system tells, and what keeps the event loop alive. */
  function held(): string[] {
    const resources = process
      .getActiveResourcesInfo()
      .filter((name) => !/Timeout|Immediate|ServerWrap/.test(name));
    return [...resources.toSorted(), `${descriptors()} descriptors`];
  }

  function descriptors(): number {
    try {
      return readdirSync('/proc/self/fd').length;
    } catch {
      return 0;
    }
  }

  async function expectNoLeak(
    probe: Probe<never>,
    settings: unknown,
    expected: string,
    timeoutMs = 2_000,
  ): Promise<void> {
    const attempt = async (): Promise<string> =>
      verdict(await attemptOnce(probe as Probe, settings, { timeoutMs }));
    // What earlier tests have closed goes at the end of a turn.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    const before = held();
    for (let round = 0; round < 10; round++) {
      const verdicts = await Promise.all(Array.from({ length: 20 }, attempt));
      expect(new Set(verdicts)).toEqual(new Set([expected]));
    }
    // Whom we left, the servers of this process, learn of it a little later.
    await eventually(() => expect(held()).toEqual(before));
  }

  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';
  const grpcServer = (): Promise<number> => {
    const server = createHttp2();
    server.on('session', (session) => session.on('error', () => {}));
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond({ 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
    });
    return serve(server);
  };
  /** One that hears us go: Node tells no end to who does not read. */
  const silent = (): Promise<number> => tcpServer((socket) => socket.resume());

  test.each<[string, Probe<never>, () => Promise<number>, string, object?, number?]>([
    ['http, answered', http, () => answering(OK, { close: false }), 'ok'],
    ['http, closed by the server', http, () => answering(OK), 'ok'],
    ['http, cut short', http, () => answering('HTTP/1.1 2'), 'fail closed explicit'],
    ['http, garbage', http, () => answering('garbage\n\n', { close: false }), 'fail protocol explicit'],
    ['http, refused', http, closedPort, 'fail refused explicit'],
    ['http, silent', http, silent, 'fail timeout silent', {}, 100],
    ['tcp, connected', tcp, silent, 'ok'],
    ['tcp, reset', tcp, () => tcpServer(reset), 'fail reset explicit', { expect: 'x' }],
    ['tcp, in the handshake', tcp, silent, 'fail timeout silent', { tls: true }, 100],
    ['grpc, answered', grpc, grpcServer, 'fail status explicit'],
    ['grpc, silent', grpc, silent, 'fail timeout silent', {}, 100],
    ['grpc, not HTTP/2', grpc, () => answering(OK), 'fail protocol explicit'],
  ] as never)('%s: nothing is left', async (_what, probe, listen, expected, settings, timeoutMs) => {
    const port = await listen();
    const where =
      probe.kind === 'http' ? { url: `http://127.0.0.1:${port}/` } : { address: `127.0.0.1:${port}` };
    await expectNoLeak(probe, { ...where, ...settings }, expected, timeoutMs);
  });

  test.skipIf(noOpenssl)('over TLS: nothing is left', async () => {
    const ca = createAuthority();
    const own = ca.issue('dial', 'IP:127.0.0.1');
    const server = createTls(own, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(OK));
    });
    server.on('tlsClientError', () => {});
    const port = await serve(server);
    const url = `https://127.0.0.1:${port}/`;
    await expectNoLeak(http as Probe<never>, { url, tls: { ca: ca.certFile } }, 'ok');
    await expectNoLeak(http as Probe<never>, { url }, 'fail tls explicit');
    await expectNoLeak(tcp as Probe<never>, { address: `127.0.0.1:${port}`, tls: { ca: ca.certFile } }, 'ok');
    ca.remove();
  });

  test('over a unix socket: nothing is left', async () => {
    const path = join(tmpdir(), `vitald-${process.pid}.sock`);
    const server = createServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.write(OK)),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expectNoLeak(http as Probe<never>, { url: 'http://app/', unix: path }, 'ok');
    await new Promise((resolve) => server.close(resolve));
    rmSync(path, { force: true });
  });

  test('exec: nothing is left', async () => {
    await expectNoLeak(exec as Probe<never>, { command: ['true'] }, 'ok', 20_000);
    await expectNoLeak(exec as Probe<never>, { shell: 'exec sleep 300' }, 'fail timeout silent', 100);
  });
});
