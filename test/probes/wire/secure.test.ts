import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Connection, type Endpoint, dial, secure } from '../../../probes/wire/dial.ts';
import { tcp } from '../../../probes/tcp/probe.ts';
import type { Phase } from '../../../src/core/outcome.ts';
import type { ProbeContext } from '../../../src/core/probe.ts';
import { createSystemClock } from '../../../src/runtime/system-clock.ts';
import { attemptOnce } from '../../support/attempt.ts';
import { opensslProblem } from '../../support/certs.ts';
import { findPrograms } from '../../support/programs.ts';
import { tcpServer } from '../../support/servers.ts';
import { verdict } from '../../support/verdict.ts';
import { makeCertificates } from '../../support/zoo/certificates.ts';
import { createZooContext } from '../../support/zoo/context.ts';

const clock = createSystemClock();

function contextOf(signal = new AbortController().signal, enter = (_phase: Phase): void => {}): ProbeContext {
  return { signal, clock, deadline: clock.now() + 10_000, enter, target: 't' };
}

function at(port: number): Endpoint {
  return { host: '127.0.0.1', port };
}

function heardFrom({ socket }: Connection, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.length >= bytes) resolve(heard);
    });
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}

test('a trace changes no verdict', async () => {
  const zoo = createZooContext(undefined);
  const port = await zoo.tcpServer((socket, { reset }) => {
    socket.resume().write('half', () => setImmediate(reset));
  });
  const settings = { address: `127.0.0.1:${port}`, expect: 'whole' };
  expect(verdict(await attemptOnce(tcp, settings))).toBe('fail reset explicit');
  expect(verdict(await attemptOnce(tcp, settings, { onTrace: () => {} }))).toBe('fail reset explicit');
  await zoo.close();
});

/** Takes every descriptor that is left. */
function openAll(): number[] {
  const held: number[] = [];
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    return held;
  }
}

const LIMITS = '/proc/self/limits';
const programs = existsSync(LIMITS) ? findPrograms([{ program: 'prlimit', from: 'util-linux' }]) : undefined;

test.skipIf(!programs)('without descriptors it is our own trouble', async () => {
  const port = await tcpServer(() => {});
  const own = ['--pid', String(process.pid)];
  const before = execFileSync(programs![0], [...own, '--nofile', '-o', 'SOFT', '--noheadings'])
    .toString()
    .trim();
  // What lifts the limit again has to be there before: without descriptors nothing can be started.
  const lifter = spawn('sh', ['-c', `read go; exec ${programs![0]} ${own.join(' ')} --nofile=${before}:`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const lifted = new Promise((resolve) => lifter.once('exit', resolve));
  const pinch = spawn('sh', ['-c', `read free; exec ${programs![0]} ${own.join(' ')} --nofile="$free":`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const pinched = new Promise((resolve) => pinch.once('exit', resolve));
  let free = 0;
  while (existsSync(`/proc/self/fd/${free}`)) free++;
  pinch.stdin.write(`${free}\n`);
  await pinched;
  const held = openAll();
  const { outcome } = await attemptOnce(tcp, `127.0.0.1:${port}`);
  for (const descriptor of held) closeSync(descriptor);
  lifter.stdin.write('\n');
  await lifted;
  expect(outcome).toMatchObject({
    status: 'void',
    message: `our own trouble: connect EMFILE 127.0.0.1:${port}`,
  });
  expect(verdict(await attemptOnce(tcp, `127.0.0.1:${port}`))).toBe('ok');
});

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`dial-secure.test.ts skips: ${noOpenssl}`);

describe.skipIf(noOpenssl)('TLS over a connection', () => {
  if (noOpenssl) return;
  const { certificates, remove } = makeCertificates();
  afterAll(remove);
  const zoo = createZooContext(certificates);
  afterEach(() => zoo.close());
  const request = { settings: { insecure: false, ca: certificates.ca.certFile }, host: 'localhost' };

  describe('over TLS, as through a proxy that is asked over TLS', () => {
    /** Says `hi` in the inner TLS once it has been asked for it in the outer one. */
    function nested(onInner: (socket: Socket) => void): Promise<number> {
      return zoo.tlsServer((outer) => {
        outer.once('data', () => {
          outer.write('go');
          zoo.startTls(outer, (inner) => onInner(inner));
        });
      });
    }

    async function inner(port: number, signal?: AbortSignal): Promise<Connection> {
      const outer = await dial(at(port), contextOf(signal), { tls: request });
      outer.socket.write('inner, please');
      await new Promise((resolve) => outer.socket.once('data', resolve));
      outer.socket.pause();
      outer.socket.removeAllListeners('data');
      return await secure(outer, request, contextOf(signal));
    }

    test('it works, and closing it closes all', async () => {
      const ends: Promise<void>[] = [];
      const port = await nested((socket) => {
        ends.push(closed(socket));
        socket.resume().write('hi');
      });
      const connection = await inner(port);
      expect(connection.certificate?.facts).toMatchObject({ tls_subject: 'good' });
      expect(await heardFrom(connection, 2)).toBe('hi');
      connection.close();
      connection.close();
      await Promise.all([...ends, closed(connection.socket)]);
    });

    test('an abort closes all', async () => {
      const abort = new AbortController();
      const connection = await inner(await nested((socket) => socket.resume()), abort.signal);
      abort.abort(new Error('off'));
      await closed(connection.socket);
    });

    test.each([
      ['an end with a close_notify is no cut', false],
      ['an end without one is', true],
    ])('%s', async (_what, cut) => {
      const port = await zoo.tlsServer((outer) => {
        outer.once('data', () => {
          outer.write('go');
          zoo.startTls(outer, (socket) => {
            socket.resume();
            if (cut) socket.write('hi', () => setImmediate(() => outer.end()));
            else socket.end('hi');
          });
        });
      });
      const connection = await inner(port);
      const ended = new Promise((resolve) => connection.socket.once('end', resolve));
      expect(await heardFrom(connection, 2)).toBe('hi');
      await ended;
      expect(connection.wasCut()).toBe(cut);
      connection.close();
    });
  });

  test.each<[Phase, object]>([
    ['tls', { steps: [{ starttls: true }] }],
    ['wait', { expect: 'x' }],
    ['receive', { expect: 'x', send: 'go' }],
    ['send', { send: 'x'.repeat(50_000_000) }],
  ])('an abort in the phase %s lets go', async (phase, settings) => {
    const peers: Socket[] = [];
    const port = await zoo.tcpServer((socket) => {
      peers.push(socket);
      if (phase === 'receive') socket.once('data', () => socket.write('y'));
    });
    const abort = new AbortController();
    const attempt = tcp.attempt(
      tcp.settings.parse({ address: `127.0.0.1:${port}`, ...settings }),
      contextOf(abort.signal, (entered) => {
        if (entered === phase) setImmediate(() => abort.abort(new Error('off')));
      }),
    );
    await expect(attempt).rejects.toThrow('off');
    // Who does not read does not learn of an end.
    await Promise.all(peers.map((socket) => closed(socket.resume())));
  });
});
