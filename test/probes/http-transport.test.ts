import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { reset } from '../support/reset.ts';
import { answering, closedPort, serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const dir = mkdtempSync(join(tmpdir(), 'vitald-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Sends these bytes once asked, and resets the connection when they have gone out. */
function resetting(answer: string): Promise<number> {
  return tcpServer((socket) => {
    socket.once('data', () => socket.write(answer, () => reset(socket)));
  });
}

function url(port: number): string {
  return `http://127.0.0.1:${port}/`;
}

describe('a response that breaks off', () => {
  test.each([
    ['nothing', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['an interim answer alone', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['less than Content-Length', `${OK}Content-Length: 10\r\n\r\nhalf`],
    ['a head without its body', `${OK}Content-Length: 10\r\n\r\n`],
    ['a chunked body without its end', `${CHUNKED}4\r\nhalf\r\n`],
    ['half a chunk', `${CHUNKED}a\r\nhalf`],
  ])('%s: by FIN it is closed, by RST it is reset', async (_what, answer) => {
    expect(verdict(await attemptOnce(http, url(await answering(answer))))).toBe('fail closed explicit');
    expect(verdict(await attemptOnce(http, url(await resetting(answer))))).toBe('fail reset explicit');
  });

  test('a body until the close: FIN is its end, RST breaks it off', async () => {
    for (const head of ['HTTP/1.0 200 OK\r\n\r\n', `${OK}\r\n`]) {
      const settings = { expect: { body: '^all of it$' } };
      const whole = await answering(`${head}all of it`);
      expect(verdict(await attemptOnce(http, { url: url(whole), ...settings }))).toBe('ok');
      const broken = await resetting(`${head}all of it`);
      expect(verdict(await attemptOnce(http, { url: url(broken), ...settings }))).toBe('fail reset explicit');
    }
  });
});

describe('a response that cannot be trusted is `protocol`', () => {
  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n'],
    ['a line of noise', `${'\x15\x03\x01\0\x02'.repeat(20)}\n\n`],
    ['HTTP/2 frames', '\0\0\x12\x04\0\0\0\0\0\n\n'],
    ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`],
    ['a length beside chunked', `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk size that is none', `${CHUNKED}zz\r\nhi\r\n0\r\n\r\n`],
    ['a head without end', `${OK}X: ${'x'.repeat(100_000)}`],
  ])('%s', async (_what, answer) => {
    expect(verdict(await attemptOnce(http, url(await answering(answer, { close: false }))))).toBe(
      'fail protocol explicit',
    );
  });
});

describe('how the server is reached', () => {
  test('nothing listens', async () => {
    expect(verdict(await attemptOnce(http, url(await closedPort())))).toBe('fail refused explicit');
  });

  test('reset as soon as connected', async () => {
    const port = await tcpServer(reset);
    expect(verdict(await attemptOnce(http, url(port)))).toBe('fail reset explicit');
  });

  test('`address` is dialled instead of the host, and the host stays in the request', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await serve(
      createServer(({ headers }, answer) => {
        hosts.push(headers.host);
        answer.end();
      }),
    );
    const settings = { url: 'http://no.such.invalid:81/', address: `127.0.0.1:${port}` };
    expect(verdict(await attemptOnce(http, settings))).toBe('ok');
    expect(hosts).toEqual(['no.such.invalid:81']);
    expect(http.peer?.(http.settings.parse(settings))).toEqual({ host: '127.0.0.1', port });
  });

  test('a unix socket: answering, absent, not a socket', async () => {
    const server = createServer((_request, answer) => answer.end('hi'));
    await new Promise<void>((resolve) => server.listen(join(dir, 'app.sock'), resolve));
    const attempt = (unix: string): Promise<string> =>
      attemptOnce(http, { url: 'http://app/', unix }, { dir }).then(verdict);
    expect(await attempt('app.sock')).toBe('ok');
    await new Promise((resolve) => server.close(resolve));
    writeFileSync(join(dir, 'file'), '');
    expect(await attempt('app.sock')).toBe('fail refused explicit');
    expect(await attempt('file')).toBe('fail refused explicit');
  });

  test.each([
    [{ unix: 'a', address: 'h:1' }, 'unix and address exclude each other'],
    [{ headers: { 'content-length': '1' } }, 'content-length follows from the body and cannot be set'],
    [{ headers: { 'a b': '1' } }, '"a b" is not a header name'],
    [{ headers: { a: 'x\r\ny: z' } }, 'the value of a has a character that no header may carry'],
    [{ method: 'get' }, 'a method is written in capitals: GET, HEAD, POST'],
    [{ method: 'CONNECT' }, 'CONNECT asks for a tunnel, not for an answer'],
    [{ auth: { bearer: 'a\nb' } }, 'the token has a character that no header may carry'],
    [{ auth: { bearer: '\u65e5' } }, 'the token has a character that no header may carry'],
    [{ auth: { basic: { username: 'a:b', password: '' } } }, 'a username cannot contain a colon'],
    [{ auth: {} }, 'auth takes either basic or bearer'],
    [{ auth: { bearer: 'a', basic: { username: 'u', password: 'p' } } }, 'auth takes either basic or bearer'],
    [{ redirects: -1 }, 'expected a whole number, from 0 to 20'],
  ])('%j is refused at load: %s', (settings, message) => {
    const parsed = http.settings.safeParse({ url: 'http://h/', ...settings });
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe('the timeout', () => {
  test.each([
    ['silence', '', 'no answer within 150ms'],
    ['a head without end', OK, 'the answer was not complete within 150ms'],
    ['a body without end', `${OK}Content-Length: 9\r\n\r\nhalf`, 'the answer was not complete within 150ms'],
    ['a body until a close that never comes', `${OK}\r\nhi`, 'the answer was not complete within 150ms'],
  ])('%s', async (_what, answer, message) => {
    const port = await answering(answer, { close: false });
    const attempt = await attemptOnce(http, url(port), { timeoutMs: 150 });
    expect([verdict(attempt), attempt.outcome.message]).toEqual(['fail timeout silent', message]);
  });

  test('a trickle does not prolong it', async () => {
    let sent = 0;
    const port = await tcpServer((socket) => {
      socket.write(OK);
      const trickle = setInterval(() => socket.write(`X-${++sent}: 1\r\n`), 10);
      socket.once('close', () => clearInterval(trickle));
    });
    const attempt = await attemptOnce(http, url(port), { timeoutMs: 200 });
    expect(verdict(attempt)).toBe('fail timeout silent');
    expect(sent).toBeGreaterThan(1);
  });
});

test('phases: what was gone through and nothing else', async () => {
  const port = await answering(`${OK}Content-Length: 2\r\n\r\nhi`);
  const { phases, latencyMs } = await attemptOnce(http, url(port));
  expect(Object.keys(phases)).toEqual(['connect', 'wait', 'receive']);
  const total = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(latencyMs);
  const named = await attemptOnce(http, `http://localhost:${port}/`);
  expect(Object.keys(named.phases)).toEqual(expect.arrayContaining(['dns', 'connect']));
});
