import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { hooks } from '../../src/hooks/index.ts';
import { DOWN, fire } from '../support/hook-events.ts';
import { receiver } from '../support/receiver.ts';
import { closedPort, serve, tcpServer } from '../support/servers.ts';

describe('webhook', () => {
  test('sends the event as JSON, with the headers of the user in place of ours', async () => {
    const { url, received, json } = await receiver(204);
    const result = await fire(hooks.webhook, {
      url,
      headers: { 'User-Agent': 'mine', 'x-key': 'k' },
      method: 'PUT',
    });
    expect(result).toEqual({ ok: true, detail: 'status 204', retry: false });
    expect(json()).toEqual(DOWN);
    expect(received[0]?.request).toMatchObject({ method: 'PUT', url: '/in' });
    expect(received[0]?.request.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'orders-mb0c7s00%2Fdown',
      'user-agent': 'mine',
      'x-key': 'k',
    });
  });

  test.each([
    [200, true, false],
    [302, false, false],
    [400, false, false],
    [408, false, true],
    [429, false, true],
    [500, false, true],
    [503, false, true],
  ])('status %d: ok %s, retry %s; redirects are not followed', async (status, ok, retry) => {
    const { url, received } = await receiver(status);
    expect(await fire(hooks.webhook, url)).toEqual({ ok, detail: `status ${status}`, retry });
    expect(received.length).toBe(1);
  });

  test('a receiver that refuses says why, and when to come again', async () => {
    const busy = await receiver(429, { said: 'too\nmany\u001b[31m', headers: { 'retry-after': '90' } });
    expect(await fire(hooks.webhook, busy.url)).toEqual({
      ok: false,
      detail: 'status 429: too many',
      retry: true,
      retryAfterMs: 90_000,
    });
    const later = await receiver(503, {
      said: 'x'.repeat(10_000),
      headers: { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() },
    });
    const result = await fire(hooks.webhook, later.url);
    expect(result.detail).toBe(`status 503: ${'x'.repeat(300)}`);
    expect(result.retryAfterMs).toBeGreaterThan(3_500_000);
    expect(result.retryAfterMs).toBeLessThanOrEqual(3_600_000);
  });

  test('the status decides: a body that never ends is not waited for', async () => {
    const port = await serve(createServer((_request, response) => void response.writeHead(200).write('ok')));
    expect(await fire(hooks.webhook, `http://127.0.0.1:${port}/`)).toMatchObject({ ok: true });
  });

  test('a refused connection throws, and the signal ends one that hangs', async () => {
    await expect(fire(hooks.webhook, `http://127.0.0.1:${await closedPort()}/`)).rejects.toThrow(
      'ECONNREFUSED',
    );
    const abort = new AbortController();
    const port = await tcpServer((socket) => socket.once('data', () => abort.abort()));
    await expect(fire(hooks.webhook, `http://127.0.0.1:${port}/`, DOWN, abort.signal)).rejects.toThrow();
  });
});

describe('exec and shell', () => {
  test('exit 0 is success and the first line is the detail', async () => {
    expect(await fire(hooks.exec, ['/bin/echo', 'restarted $HOME'])).toEqual({
      ok: true,
      detail: 'restarted $HOME',
      retry: false,
    });
    expect(await fire(hooks.shell, 'true')).toEqual({ ok: true, detail: 'exit 0', retry: false });
  });

  test('another exit or a signal is failure, with what was said', async () => {
    expect(await fire(hooks.shell, 'echo no such unit >&2; exit 5')).toEqual({
      ok: false,
      detail: 'exit 5: no such unit',
      retry: true,
    });
    expect(await fire(hooks.shell, 'kill -KILL $$')).toMatchObject({
      ok: false,
      detail: 'killed by SIGKILL',
    });
  });

  test('what the target said reaches a command as data, never as shell text', async () => {
    expect((await fire(hooks.shell, 'echo "$VITALD_MESSAGE"')).detail).toBe(DOWN.message);
    expect((await fire(hooks.shell, 'cat')).detail).toBe(JSON.stringify(DOWN));
  });

  test('a command that does not read its stdin, or is not there, is no trouble', async () => {
    expect((await fire(hooks.shell, 'exec <&-; echo fine')).ok).toBe(true);
    await expect(fire(hooks.exec, ['no-such-program-anywhere'])).rejects.toThrow(/ENOENT|EACCES/);
  });
});
