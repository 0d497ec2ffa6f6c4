import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { type Connection, dial } from '../../../probes/wire/dial.ts';
import { type Keepable, createKeep } from '../../../probes/wire/keep.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { tcpServer } from '../../support/servers.ts';
import { eventually } from '../../support/eventually.ts';

const owner = {};
const ORIGIN = 'http://a';

async function connected(): Promise<{ connection: Connection; peer: Socket; abort: AbortController }> {
  const peers: Socket[] = [];
  const port = await tcpServer((socket) => {
    socket.resume();
    peers.push(socket);
  });
  const abort = new AbortController();
  const connection = await dial({ host: '127.0.0.1', port }, contextOf(abort));
  await eventually(() => expect(peers).toHaveLength(1));
  return { connection, peer: peers[0]!, abort };
}

function contextOf({ signal }: AbortController): Parameters<typeof dial>[1] {
  return { target: 't', signal, deadline: Infinity, clock: createFakeClock(), enter() {} };
}

describe('a connection that is kept', () => {
  test('goes to the next who asks with the same settings for the same origin, and once', async () => {
    const { connection, abort } = await connected();
    const keep = createKeep<Keepable>();
    const clock = createFakeClock();
    keep.put(owner, ORIGIN, { connection }, clock);
    const { signal } = new AbortController();
    expect(keep.take({}, ORIGIN, signal, clock)).toBeUndefined();
    expect(keep.take(owner, 'http://b', signal, clock)).toBeUndefined();
    expect(keep.take(owner, ORIGIN, signal, clock)?.connection).toBe(connection);
    expect(keep.take(owner, ORIGIN, signal, clock)).toBeUndefined();
    abort.abort();
    expect(connection.socket.destroyed).toBe(false);
    connection.close();
  });

  test('does not end with the attempt that made it, but with the one that has it', async () => {
    const { connection, abort } = await connected();
    const keep = createKeep<Keepable>();
    const clock = createFakeClock();
    keep.put(owner, ORIGIN, { connection }, clock);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    const next = new AbortController();
    keep.take(owner, ORIGIN, next.signal, clock);
    next.abort(new Error('over'));
    await eventually(() => expect(connection.socket.destroyed).toBe(true));
  });

  test.each<[string, (peer: Socket) => unknown]>([
    ['ends', (peer) => peer.end()],
    ['resets', (peer) => peer.resetAndDestroy()],
    ['says something', (peer) => peer.write('HTTP/1.1 408 Timeout\r\n\r\n')],
  ])('is closed when the peer %s', async (_what, act) => {
    const { connection, peer } = await connected();
    const keep = createKeep<Keepable>();
    const clock = createFakeClock();
    keep.put(owner, ORIGIN, { connection }, clock);
    act(peer);
    await eventually(() => expect(connection.socket.destroyed).toBe(true));
    expect(keep.take(owner, ORIGIN, new AbortController().signal, clock)).toBeUndefined();
  });

  test('keeps no process running, and is closed when it has waited too long', async () => {
    const { connection } = await connected();
    const keep = createKeep<Keepable>();
    keep.put(owner, ORIGIN, { connection }, createFakeClock());
    expect(process.getActiveResourcesInfo().filter((what) => what === 'TCPSocketWrap').length).toBeLessThan(
      2,
    );
    expect(connection.socket.timeout).toBe(120_000);
    connection.socket.emit('timeout');
    await eventually(() => expect(connection.socket.destroyed).toBe(true));
  });

  test('is given up after five minutes, however busy: names and certificates change', async () => {
    const { connection } = await connected();
    const keep = createKeep<Keepable>();
    const clock = createFakeClock();
    const { signal } = new AbortController();
    for (let minute = 0; minute < 4; minute++) {
      keep.put(owner, ORIGIN, { connection }, clock);
      await clock.advance(60_000);
      expect(keep.take(owner, ORIGIN, signal, clock)?.connection).toBe(connection);
    }
    keep.put(owner, ORIGIN, { connection }, clock);
    await clock.advance(60_000);
    expect(keep.take(owner, ORIGIN, signal, clock)).toBeUndefined();
    expect(connection.socket.destroyed).toBe(true);
  });

  test('is one: a second is closed, and so is one that has ended', async () => {
    const [first, second] = [await connected(), await connected()];
    const keep = createKeep<Keepable>();
    const clock = createFakeClock();
    keep.put(owner, ORIGIN, first, clock);
    const close = vi.fn(() => second.connection.close());
    keep.put(owner, ORIGIN, { ...second, close }, clock);
    expect(close).toHaveBeenCalledOnce();
    expect(second.connection.socket.destroyed).toBe(true);
    keep.put(owner, 'http://b', second, clock);
    expect(keep.take(owner, 'http://b', new AbortController().signal, clock)).toBeUndefined();
    first.connection.close();
  });
});
