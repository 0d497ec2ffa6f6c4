import { type IncomingMessage, createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Hook, HookEvent, HookResult } from '../../src/core/hook.ts';
import { hooks } from '../../src/hooks/index.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { closedPort, serve, tcpServer } from '../support/servers.ts';

const EVENT: HookEvent = {
  id: 'a-1/down',
  event: 'down',
  target: 'a',
  group: null,
  labels: { tier: 'front' },
  purpose: 'live',
  probe: 'http',
  state: 'down',
  from: 'suspect',
  reason: 'refused',
  class: 'explicit',
  message: 'connect ECONNREFUSED $(touch /tmp/never) `id`',
  incident: 'a-1',
  attempt: 3,
  at: '2026-01-01T00:00:00.000Z',
};

function fire<S>(
  hook: Hook<S>,
  written: unknown,
  signal = new AbortController().signal,
): Promise<HookResult> {
  return hook.fire(hook.settings.parse(written), EVENT, { signal, clock: createSystemClock() });
}

interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** A receiver that answers with this status. */
async function receiver(status: number): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const port = await serve(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        received.push({ request, body });
        response.writeHead(status, { location: '/elsewhere' }).end('thanks');
      });
    }),
  );
  return { url: `http://127.0.0.1:${port}/in`, received };
}

describe('webhook', () => {
  test('sends the event as JSON, with the headers of the user in place of ours', async () => {
    const { url, received } = await receiver(204);
    const result = await fire(hooks.webhook, {
      url,
      headers: { 'User-Agent': 'mine', 'x-key': 'k' },
      method: 'PUT',
    });
    expect(result).toEqual({ ok: true, detail: 'status 204', retry: false });
    const [{ request, body } = { request: undefined, body: '' }] = received;
    expect(JSON.parse(body)).toEqual(EVENT);
    expect(request).toMatchObject({ method: 'PUT', url: '/in' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'a-1%2Fdown',
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
    await expect(fire(hooks.webhook, `http://127.0.0.1:${port}/`, abort.signal)).rejects.toThrow();
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
    expect((await fire(hooks.shell, 'echo "$VITALD_MESSAGE"')).detail).toBe(EVENT.message);
    expect((await fire(hooks.shell, 'cat')).detail).toBe(JSON.stringify(EVENT));
  });

  test('a command that does not read its stdin, or is not there, is no trouble', async () => {
    expect((await fire(hooks.shell, 'exec <&-; echo fine')).ok).toBe(true);
    await expect(fire(hooks.exec, ['no-such-program-anywhere'])).rejects.toThrow(/ENOENT|EACCES/);
  });
});
