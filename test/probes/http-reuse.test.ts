import type { Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import type { Attempt } from '../../src/core/outcome.ts';
import { startAttempt } from '../../src/runtime/attempt.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { serve, tcpServer } from '../support/servers.ts';
import { aTarget } from '../support/targets.ts';
import { verdict } from '../support/verdict.ts';
import { eventually } from '../support/eventually.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

const noOpenssl = opensslProblem();
const authority = noOpenssl ? undefined : createAuthority();
afterAll(() => authority?.remove());

const peers: Socket[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy();
});

/** A server that answers request `number` on connection `index` (both from 0) as it is told. */
function answers(act: (socket: Socket, index: number, number: number) => void): Promise<number> {
  let index = 0;
  return tcpServer((socket) => {
    const own = index++;
    let number = 0;
    peers.push(socket);
    socket.on('data', () => act(socket, own, number++));
  });
}

/** Attempts one after the other with the same settings, as a monitor makes them. */
function target(port: number, more: object = {}, { scheme = 'http', timeoutMs = 20_000 } = {}) {
  const written = { url: `${scheme}://127.0.0.1:${port}/`, connection: 'reuse', ...more };
  const settings = http.settings.parse(written);
  const clock = createSystemClock();
  return async (): Promise<string> => {
    const attempt = startAttempt({
      target: aTarget({ probe: { kind: 'http', settings }, rules: { timeoutMs } }),
      probe: http,
      number: 1,
      clock,
      redact: (text) => text,
      onTrouble: (what, detail) => {
        throw new Error(`${what}: ${detail}`);
      },
    });
    const settled: Attempt | null = await attempt.settled;
    await attempt.ended;
    return verdict(settled!);
  };
}

describe('connection: reuse', () => {
  test('one connection serves all attempts; without it each has its own', async () => {
    const port = await answers((socket) => socket.write(OK));
    const ask = target(port);
    for (let n = 0; n < 5; n++) expect(await ask()).toBe('ok');
    expect(peers).toHaveLength(1);
    const fresh = target(port, { connection: 'fresh' });
    for (let n = 0; n < 3; n++) expect(await fresh()).toBe('ok');
    expect(peers).toHaveLength(4);
  });

  test('other settings have another one', async () => {
    const port = await answers((socket) => socket.write(OK));
    expect([await target(port)(), await target(port)()]).toEqual(['ok', 'ok']);
    expect(peers).toHaveLength(2);
  });

  test('a failure of a rule is no failure of the connection', async () => {
    const port = await answers((socket) => socket.write(OK));
    const ask = target(port, { expect: { body: 'no' } });
    expect([await ask(), await ask()]).toEqual(Array(2).fill('fail mismatch explicit'));
    expect(peers).toHaveLength(1);
  });

  test.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi', {}],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi', {}],
    ['bytes behind the response', `${OK}HTTP/1.1 200 OK\r\n`, {}],
    ['a body that is not read to its end', OK, { max_body: '1B' }],
  ])('not after %s', async (_what, answer, more) => {
    const port = await answers((socket) => socket.write(answer));
    const ask = target(port, more);
    expect([await ask(), await ask()]).toEqual(['ok', 'ok']);
    expect(peers).toHaveLength(2);
  });

  test('not after a body that ends with the connection', async () => {
    const port = await answers((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhi'));
    const ask = target(port);
    expect([await ask(), await ask()]).toEqual(['ok', 'ok']);
    expect(peers).toHaveLength(2);
  });

  test.each<[string, (socket: Socket) => unknown]>([
    ['closes when it is asked again', (socket) => socket.end()],
    ['resets when it is asked again', reset],
    ['says nothing when it is asked again', () => {}],
    [
      'says that it has waited too long',
      (socket) => socket.end('HTTP/1.1 408 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
    ],
  ])('a kept connection that %s: a fresh one, inside the same attempt', async (_what, act) => {
    const port = await answers((socket, index, number) => {
      if (index === 0 && number === 1) act(socket);
      else socket.write(OK);
    });
    const ask = target(port, {}, { timeoutMs: 1_500 });
    expect([await ask(), await ask(), await ask()]).toEqual(['ok', 'ok', 'ok']);
    expect(peers).toHaveLength(2);
    await eventually(() => expect(peers[0]!.destroyed || peers[0]!.readableEnded).toBe(true));
  });

  test('a kept connection that closed while nobody asked', async () => {
    const port = await answers((socket) => socket.write(OK));
    const ask = target(port);
    expect(await ask()).toBe('ok');
    peers[0]!.resetAndDestroy();
    expect(await ask()).toBe('ok');
    expect(peers).toHaveLength(2);
  });

  test('a 408 over a fresh connection is an answer like any other', async () => {
    const port = await answers((socket) => socket.write('HTTP/1.1 408 X\r\nContent-Length: 0\r\n\r\n'));
    expect(await target(port)()).toBe('fail status explicit');
    expect(peers).toHaveLength(1);
  });

  test('a kept connection that breaks inside an answer fails: the server was there', async () => {
    const port = await answers((socket, _index, number) => {
      if (number === 0) socket.write(OK);
      else socket.end('HTTP/1.1 200 OK\r\nContent-Le');
    });
    const ask = target(port);
    expect([await ask(), await ask()]).toEqual(['ok', 'fail closed explicit']);
    expect(peers).toHaveLength(1);
  });

  test('a kept connection that is silent, and then says that it has waited too long, is dead', async () => {
    let giveUp = (): void => {};
    const port = await answers((socket, index, number) => {
      if (index === 0 && number === 1) {
        giveUp = () => socket.end('HTTP/1.1 408 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      } else if (index === 1) {
        // The fresh one answers once the client has let go of the other.
        peers[0]!.once('close', () => socket.write(OK));
        giveUp();
      } else socket.write(OK);
    });
    const ask = target(port, {}, { timeoutMs: 1_000 });
    expect([await ask(), await ask()]).toEqual(['ok', 'ok']);
  });

  test('a slow answer over the kept connection still counts, and the fresh one is let go', async () => {
    let answer = (): void => {};
    const port = await answers((socket, index, number) => {
      if (index === 0 && number === 1) answer = () => socket.write(OK);
      else if (index === 1) answer();
      else socket.write(OK);
    });
    const ask = target(port, {}, { timeoutMs: 1_000 });
    expect([await ask(), await ask()]).toEqual(['ok', 'ok']);
    await eventually(() => expect(peers[1]!.destroyed).toBe(true));
    expect(await ask()).toBe('ok');
    expect(peers).toHaveLength(2);
  });

  test('when everything is silent, the deadline ends it, and nothing is left', async () => {
    const port = await answers((socket, index, number) => {
      if (index === 0 && number === 0) socket.write(OK);
    });
    const ask = target(port, {}, { timeoutMs: 200 });
    expect([await ask(), await ask()]).toEqual(['ok', 'fail timeout silent']);
    await eventually(() => expect(peers.every(({ destroyed }) => destroyed)).toBe(true));
  });

  test('redirects keep a connection for each origin', async () => {
    const second = await answers((socket) => socket.write(OK));
    const first = await answers((socket) =>
      socket.write(`HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:${second}/\r\nContent-Length: 0\r\n\r\n`),
    );
    const ask = target(first, { redirects: 1 });
    for (let n = 0; n < 3; n++) expect(await ask()).toBe('ok');
    expect(peers).toHaveLength(2);
  });

  test.skipIf(noOpenssl)('over TLS, too: one handshake', async () => {
    let handshakes = 0;
    const server = createTls(authority!.issue('here', 'IP:127.0.0.1'), (socket) => {
      handshakes++;
      socket.on('error', () => {});
      socket.on('data', () => socket.write(OK));
    });
    const port = await serve(server);
    const ask = target(port, { tls: { ca: authority!.certFile } }, { scheme: 'https' });
    for (let n = 0; n < 4; n++) expect(await ask()).toBe('ok');
    expect(handshakes).toBe(1);
  });
});
