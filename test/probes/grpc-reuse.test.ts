import type { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { grpc } from '../../probes/grpc/probe.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { SERVING, data, goaway, h2Frame, headers, onRequest, rstStream, settings } from '../support/h2.ts';
import { reset } from '../support/reset.ts';
import { tcpServer } from '../support/servers.ts';
import { eventually } from '../support/eventually.ts';

/** SERVING on this stream. */
function serving(stream: number): Buffer {
  return Buffer.concat([
    headers({ ':status': '200', 'content-type': 'application/grpc' }, { stream }),
    data(SERVING, { stream }),
    headers({ 'grpc-status': '0' }, { ends: true, stream }),
  ]);
}

/** A server that serves, unless told otherwise for the nth request of a connection; and its connections. */
async function server(otherwise: Readonly<Record<number, (socket: Socket, stream: number) => void>> = {}) {
  const sockets: Socket[] = [];
  const port = await tcpServer((socket) => {
    sockets.push(socket);
    socket.write(settings());
    let requests = 0;
    onRequest(socket, ({ stream }) => {
      requests++;
      const act = sockets.length === 1 ? otherwise[requests] : undefined;
      if (act) act(socket, stream);
      else socket.write(serving(stream));
    });
  });
  return { port, sockets };
}

/** Attempts of one target, as they come in life: with the same settings. */
function target(port: number, connection = 'reuse') {
  const written = grpc.settings.parse({ address: `127.0.0.1:${port}`, connection });
  const clock = createFakeClock();
  const phases: string[] = [];
  return {
    clock,
    phases,
    async attempt(): Promise<string> {
      const { signal } = new AbortController();
      phases.length = 0;
      const outcome = await grpc.attempt(written, {
        target: 't',
        signal,
        deadline: clock.now() + 2_000,
        clock,
        enter: (phase) => void phases.push(phase),
      });
      return outcome.status === 'fail' ? `${outcome.reason}: ${outcome.message}` : outcome.message;
    },
  };
}

describe('connection: reuse', () => {
  test('many attempts over one connection, each on a stream of its own', async () => {
    const { port, sockets } = await server();
    const { attempt, phases } = target(port);
    expect(await attempt()).toBe('SERVING');
    expect(phases).toEqual(['connect', 'wait', 'receive']);
    for (let run = 0; run < 5; run++) expect(await attempt()).toBe('SERVING');
    expect(phases).toEqual(['wait', 'receive']);
    expect(sockets).toHaveLength(1);
  });

  test('fresh: one for each', async () => {
    const { port, sockets } = await server();
    const { attempt } = target(port, 'fresh');
    for (let run = 0; run < 3; run++) expect(await attempt()).toBe('SERVING');
    expect(sockets).toHaveLength(3);
    await eventually(() => expect(sockets.every(({ destroyed }) => destroyed)).toBe(true));
  });

  test.each<[string, (socket: Socket, stream: number) => void]>([
    ['closes', (socket) => socket.end()],
    ['resets', (socket) => reset(socket)],
    ['says GOAWAY', (socket) => void socket.write(goaway(0, { last: 1 }))],
    ['says GOAWAY and closes', (socket) => void socket.end(goaway(11, { last: 1 }))],
    ['refuses the stream', (socket, stream) => void socket.write(rstStream(7, stream))],
    ['says nonsense', (socket) => void socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
  ])('a kept connection that %s when it is asked fails nobody', async (_what, act) => {
    const { port, sockets } = await server({ 2: act });
    const { attempt, phases } = target(port);
    expect(await attempt()).toBe('SERVING');
    expect(await attempt()).toBe('SERVING');
    expect(phases).toEqual(['wait', 'connect', 'wait', 'receive']);
    expect(sockets).toHaveLength(2);
    await eventually(() => expect(sockets[0]!.destroyed).toBe(true));
  });

  test.each<[string, (socket: Socket) => void]>([
    ['closes', (socket) => socket.end()],
    ['resets', (socket) => reset(socket)],
    ['says GOAWAY', (socket) => void socket.write(goaway(0, { last: 1 }))],
    ['says nonsense', (socket) => void socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
  ])('one that %s while nobody asks is let go at once', async (_what, act) => {
    const { port, sockets } = await server();
    const { attempt, phases } = target(port);
    expect(await attempt()).toBe('SERVING');
    act(sockets[0]!);
    await eventually(() => expect(sockets[0]!.destroyed).toBe(true));
    expect(await attempt()).toBe('SERVING');
    // A server is done with a reset before we have heard of it.
    expect(phases.slice(-3)).toEqual(['connect', 'wait', 'receive']);
  });

  test('PING is answered while nobody asks', async () => {
    const { port, sockets } = await server();
    const { attempt } = target(port);
    await attempt();
    const heard = vi.fn<(chunk: Buffer) => void>();
    sockets[0]!.on('data', heard);
    sockets[0]!.write(h2Frame('PING', Buffer.from('are you?')));
    await eventually(() => expect(String(heard.mock.calls.at(-1)?.[0])).toContain('are you?'));
    expect(await attempt()).toBe('SERVING');
    expect(sockets).toHaveLength(1);
  });

  test('an answer that has begun and is cut is a failure, kept or not', async () => {
    const { port } = await server({
      2(socket, stream) {
        socket.end(serving(stream).subarray(0, 60));
      },
    });
    const { attempt } = target(port);
    await attempt();
    expect(await attempt()).toBe('closed: the server closed the connection inside the answer');
    expect(await attempt()).toBe('SERVING');
  });

  test('one that has fallen silent: half of the time later a fresh one is asked', async () => {
    const { port, sockets } = await server({ 2: () => {} });
    const { attempt, phases, clock } = target(port);
    await attempt();
    const asked = attempt();
    await eventually(() => expect(phases).toEqual(['wait']));
    await clock.advance(1_000);
    expect(await asked).toBe('SERVING');
    expect(phases).toEqual(['wait', 'connect', 'wait', 'receive']);
    await eventually(() => expect(sockets[0]!.destroyed).toBe(true));
    expect(await attempt()).toBe('SERVING');
    expect(sockets).toHaveLength(2);
  });

  test('one that is only slow: its answer counts, and the fresh connection is let go', async () => {
    let answer = (): void => {};
    const sockets: Socket[] = [];
    const port = await tcpServer((socket) => {
      sockets.push(socket);
      // The second connection gets no answer.
      if (sockets.length > 1) return void socket.resume();
      socket.write(settings());
      onRequest(socket, ({ stream }) => {
        answer = () => void socket.write(serving(stream));
        if (stream !== 3) answer();
      });
    });
    const { attempt, clock, phases } = target(port);
    await attempt();
    const asked = attempt();
    await eventually(() => expect(phases).toEqual(['wait']));
    await clock.advance(1_000);
    await eventually(() => expect(sockets).toHaveLength(2));
    answer();
    expect(await asked).toBe('SERVING');
    await eventually(() => expect(sockets[1]!.destroyed).toBe(true));
    expect(await attempt()).toBe('SERVING');
    expect(sockets).toHaveLength(2);
  });

  test('NOT_SERVING keeps the connection', async () => {
    const { port, sockets } = await server({
      1(socket, stream) {
        const head = { ':status': '200', 'content-type': 'application/grpc', 'grpc-status': '5' };
        socket.write(headers(head, { ends: true, stream }));
      },
    });
    const { attempt } = target(port);
    expect(await attempt()).toBe('status: NOT_FOUND');
    expect(await attempt()).toBe('SERVING');
    expect(sockets).toHaveLength(1);
  });
});
