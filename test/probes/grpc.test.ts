import {
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { grpc } from '../../probes/grpc/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { verdict } from '../support/verdict.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

interface Call {
  readonly metadata: Record<string, unknown>;
  readonly authority: string;
  readonly deadlineMs: number;
}

/** Writes down what a call brought along. */
class Listening extends ServerInterceptingCall {
  constructor(call: ServerInterceptingCallInterface, calls: Call[]) {
    super(call, {
      start: (next) => {
        next({
          onReceiveMetadata(metadata, forward) {
            const deadlineMs = Number(call.getDeadline()) - Date.now();
            calls.push({ metadata: metadata.getMap(), authority: call.getHost(), deadlineMs });
            forward(metadata);
          },
        });
      },
    });
  }
}

const STATUSES = { '': 'SERVING', 'shop.Cart': 'SERVING', down: 'NOT_SERVING', odd: 'UNKNOWN' } as const;

/** A real gRPC health server, or one without the health service; its port and what it was asked. */
async function healthServer({
  credentials = ServerCredentials.createInsecure(),
  health = true,
} = {}): Promise<{ address: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server = new Server({ interceptors: [(_method, call) => new Listening(call, calls)] });
  if (health) new HealthImplementation(STATUSES).addToServer(server);
  servers.push(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: `127.0.0.1:${port}`, calls };
}

describe('a real health server', () => {
  test.each([
    [undefined, 'ok: SERVING'],
    ['', 'ok: SERVING'],
    ['shop.Cart', 'ok: SERVING'],
    ['down', 'fail not_serving explicit: NOT_SERVING'],
    ['odd', 'fail not_serving explicit: UNKNOWN'],
    ['nobody', 'fail status explicit: NOT_FOUND'],
  ])('service %j -> %s', async (service, expected) => {
    const { address } = await healthServer();
    const attempt = await attemptOnce(grpc, { address, ...(service !== undefined && { service }) });
    expect(`${verdict(attempt)}: ${attempt.outcome.message}`).toMatch(new RegExp(`^${expected}`));
  });

  test('short form', async () => {
    const { address } = await healthServer();
    expect(verdict(await attemptOnce(grpc, address))).toBe('ok');
  });

  test('without the health service: UNIMPLEMENTED, by name', async () => {
    const { address } = await healthServer({ health: false });
    const attempt = await attemptOnce(grpc, address);
    expect(`${verdict(attempt)}: ${attempt.outcome.message}`).toMatch(/^fail status explicit: UNIMPLEMENTED/);
  });

  test('authority, metadata and the deadline arrive', async () => {
    const { address, calls } = await healthServer();
    const metadata = { 'x-token': 'a b', 'blob-bin': Buffer.from([1, 2, 255]).toString('base64') };
    await attemptOnce(grpc, { address, authority: 'cart.internal', metadata }, { timeoutMs: 1_500 });
    await attemptOnce(grpc, { address, metadata: { 'user-agent': 'me' } });
    expect(calls[0]).toMatchObject({
      authority: 'cart.internal',
      metadata: { 'x-token': 'a b', 'blob-bin': Buffer.from([1, 2, 255]) },
    });
    expect(calls[0]!.deadlineMs).toBeLessThanOrEqual(1_500);
    expect(calls[0]!.deadlineMs).toBeGreaterThan(0);
    expect(calls[1]).toMatchObject({ authority: address, metadata: { 'user-agent': 'me' } });
  });

  test('a service name longer than one length byte', async () => {
    const { address } = await healthServer();
    const attempt = await attemptOnce(grpc, { address, service: 'x'.repeat(300) });
    expect(attempt.outcome.message).toMatch(/^NOT_FOUND/);
  });

  test('phases', async () => {
    const { address } = await healthServer();
    expect(Object.keys((await attemptOnce(grpc, address)).phases)).toEqual(['connect', 'wait', 'receive']);
  });
});

const problem = opensslProblem();
// oxlint-disable-next-line no-console
if (problem) console.warn(`grpc.test.ts skips TLS: ${problem}`);

describe.skipIf(problem)('over TLS', () => {
  test('ok with the ca, tls without it, mutual with and without our certificate', async () => {
    const ca = createAuthority();
    const { key, cert } = ca.issue('grpc', 'IP:127.0.0.1');
    const client = ca.issue('client', 'DNS:client');
    const pair = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
    const { address } = await healthServer({ credentials: ServerCredentials.createSsl(null, pair) });
    const strict = await healthServer({
      credentials: ServerCredentials.createSsl(Buffer.from(ca.cert), pair, true),
    });
    const trusted = { ca: ca.certFile };
    const own = { ...trusted, cert: client.certFile, key: client.keyFile };
    const answered = await attemptOnce(grpc, { address, tls: trusted });
    expect(verdict(answered)).toBe('ok');
    expect(Object.keys(answered.phases)).toEqual(['connect', 'tls', 'wait', 'receive']);
    expect(verdict(await attemptOnce(grpc, { address, tls: true }))).toBe('fail tls explicit');
    expect(verdict(await attemptOnce(grpc, { address: strict.address, tls: own }))).toBe('ok');
    expect(verdict(await attemptOnce(grpc, { address: strict.address, tls: trusted }))).toBe(
      'fail tls explicit',
    );
    // Cleartext to a TLS port.
    expect(verdict(await attemptOnce(grpc, address))).toMatch(/^fail (protocol|closed|reset) explicit$/);
    ca.remove();
  });
});

test.each([
  [{ metadata: { 'X-A': '1' } }, '"X-A" is not a metadata key (lower case letters, digits, _ . -)'],
  [{ metadata: { 'grpc-timeout': '1S' } }, 'grpc-timeout belongs to the protocol and cannot be set'],
  [{ metadata: { te: 'x' } }, 'te belongs to the protocol and cannot be set'],
  [{ metadata: { connection: 'close' } }, 'connection belongs to the protocol and cannot be set'],
  [{ metadata: { 'content-length': '1' } }, 'content-length belongs to the protocol and cannot be set'],
  [{ metadata: { 'transfer-encoding': 'x' } }, 'transfer-encoding belongs to the protocol and cannot be set'],
  [{ metadata: { host: 'x' } }, 'host belongs to the protocol and cannot be set'],
  [{ metadata: { 'b-bin': '?' } }, 'b-bin must be base64'],
  [{ metadata: { b: '\u00fc' } }, 'the value of b must be printable ASCII'],
  [{ authority: 'a b' }, 'an authority is a host, with or without a port'],
  [{ authority: '' }, 'an authority is a host, with or without a port'],
  [{ b: 1 }, 'Unrecognized key: "b"'],
  [{ metadata: { b: ' x' } }, 'the value of b cannot begin or end with a blank'],
  [{ connection: 'kept' }, 'Invalid option: expected one of "fresh"|"reuse"'],
  [{ address: '127.0.0.1:1', family: 6 }, '127.0.0.1 is not an IPv6 address'],
  [{ tls: { alpn: ['grpc'] } }, 'gRPC needs h2 to be offered'],
])('%j is refused at load: %s', (settings, message) => {
  const parsed = grpc.settings.safeParse({ address: 'h:1', ...settings });
  expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
});
