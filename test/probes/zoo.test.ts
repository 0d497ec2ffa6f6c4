import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { grpc } from '../../probes/grpc/probe.ts';
import { http } from '../../probes/http/probe.ts';
import { tcp } from '../../probes/tcp/probe.ts';
import type { Clock } from '../../src/core/clock.ts';
import { type Attempt, classOf, reasonOf } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { opensslProblem } from '../support/certs.ts';
import type { Behaviour, Transport } from '../support/zoo/behaviour.ts';
import { makeCertificates } from '../support/zoo/certificates.ts';
import { createZooContext } from '../support/zoo/context.ts';
import { zoo } from '../support/zoo/index.ts';
import { eventually } from '../support/eventually.ts';

/** Long enough for a slow machine: an attempt that the peer settles never comes near it. */
const LONG_MS = 20_000;
/** For those that only the deadline ends. */
const SHORT_MS = 250;

const PROBES: Readonly<Record<Transport, Probe>> = {
  tcp: tcp,
  tls: tcp,
  http: http,
  https: http,
  grpc: grpc,
  grpcs: grpc,
};
const OVER_TLS = new Set<Transport>(['tls', 'https', 'grpcs']);

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`zoo.test.ts skips tls, https and grpcs: ${noOpenssl}`);
const made = noOpenssl ? undefined : makeCertificates();
afterAll(() => made?.remove());

describe.each([...new Set(zoo.map(({ transport }) => transport))])('%s', (transport) => {
  const rows = zoo.filter((row) => row.transport === transport);
  const named = rows.map((row) => [row.name, row] as const);
  test.skipIf(noOpenssl && OVER_TLS.has(transport)).each(named)('%s', async (_name, row) => {
    const context = createZooContext(made?.certificates);
    const port = await row.serve(context);
    const watched = watch(PROBES[transport]);
    try {
      const ask = async (timeoutMs: number): Promise<void> =>
        expectAsInRow(
          await attemptOnce(watched.probe, row.settings(port, context), { timeoutMs }),
          row,
          timeoutMs,
        );
      if (row.expected.by === 'answer') await ask(LONG_MS);
      // A slow machine may not have come to what the row is about.
      else await ask(SHORT_MS).catch(() => ask(20 * SHORT_MS));
      // A socket that was let go closes at the end of a turn; nobody but the probe has closed it by now.
      await eventually(() => expect(watched.left()).toEqual([]));
    } finally {
      watched.stop();
      await context.close();
    }
  });
});

test('names are unique within their transport', () => {
  const names = zoo.map(({ transport, name }) => `${transport}: ${name}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

function expectAsInRow({ outcome, latencyMs }: Attempt, { expected }: Behaviour, timeoutMs: number): void {
  const { status, reason = null, message = /./ } = expected;
  expect({
    status: outcome.status,
    reason: reasonOf(outcome),
    class: classOf(outcome),
    said: outcome.message,
  }).toEqual({
    status,
    reason,
    class: expected.class ?? null,
    said: expect.stringMatching(message),
  });
  if (expected.by === 'answer') expect(latencyMs).toBeLessThan(timeoutMs);
  // The system's timers may be a millisecond early.
  else expect(latencyMs).toBeGreaterThan(timeoutMs - 2);
}

/** Runs a probe and notes what it takes: sockets, timers, listeners on its signal. `left` tells what is not given back. */
function watch(probe: Probe): { probe: Probe; left(): string[]; stop(): void } {
  const sockets: Socket[] = [];
  const timers = new Set<number>();
  const signals: AbortSignal[] = [];
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', onSocket);

  function counted(clock: Clock): Clock {
    return {
      ...clock,
      schedule(at, callback) {
        const id = timers.size === 0 ? 0 : Math.max(...timers) + 1;
        timers.add(id);
        const cancel = clock.schedule(at, () => {
          timers.delete(id);
          callback();
        });
        return () => {
          timers.delete(id);
          cancel();
        };
      },
    };
  }

  return {
    probe: {
      ...probe,
      attempt(settings, context: ProbeContext) {
        signals.push(context.signal);
        return probe.attempt(settings, { ...context, clock: counted(context.clock) });
      },
    },
    left: () => [
      ...sockets.filter(({ closed }) => !closed).map(() => 'a socket'),
      ...[...timers].map(() => 'a timer'),
      ...signals.flatMap((signal) =>
        getEventListeners(signal, 'abort').map(() => 'a listener for the abort'),
      ),
    ],
    stop: () => void unsubscribe('net.client.socket', onSocket),
  };
}
