import { type IncomingMessage, createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import { VERSION } from '../../src/core/version.ts';
import { attemptOnce } from '../support/attempt.ts';
import { answering, serve } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

/** A response with a length, as a server writes it. */
function response(status: number, body = '', head = ''): string {
  return `HTTP/1.1 ${status} X\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** One attempt at a server that answers with these bytes: the verdict and the message. */
async function judged(answer: string, settings: object = {}): Promise<string> {
  const port = await answering(answer);
  const attempt = await attemptOnce(http, { url: `http://127.0.0.1:${port}/`, ...settings });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe('expect.status', () => {
  test.each([
    [200, undefined, 'ok: status 200'],
    [204, undefined, 'ok: status 204'],
    [299, undefined, 'ok: status 299'],
    [300, undefined, 'fail status explicit: status 300'],
    [304, undefined, 'fail status explicit: status 304'],
    [404, undefined, 'fail status explicit: status 404'],
    [503, undefined, 'fail status explicit: status 503'],
    [404, 404, 'ok: status 404'],
    [200, 404, 'fail status explicit: status 200'],
    [301, ['200-299', '301'], 'ok: status 301'],
    [302, ['200-299', 301], 'fail status explicit: status 302'],
    [401, '400-403', 'ok: status 401'],
  ])('%i against %j -> %s', async (code, status, expected) => {
    const body = [204, 304].includes(code) ? '' : 'x';
    expect(await judged(response(code, body), { expect: { status } })).toBe(expected);
  });

  test.each([
    ['299-200', 'the range 299-200 runs backwards'],
    ['600', '600 is outside of 100 to 599'],
    [99, '99 is outside of 100 to 599'],
    ['2xx', '"2xx" is not a status or a range such as 200-299'],
  ])('%j is refused at load: %s', (status, message) => {
    const parsed = http.settings.safeParse({ url: 'http://h/', expect: { status: [status] } });
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  test('interim answers are skipped', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n';
    expect(await judged(interim + response(200, 'hi'))).toBe('ok: status 200');
  });

  test('the status is a fact, of a failure too', async () => {
    const port = await answering(response(503));
    const { outcome } = await attemptOnce(http, `http://127.0.0.1:${port}/`);
    expect(outcome.facts).toEqual({ status: 503 });
  });
});

describe('expect.body, body_not', () => {
  test.each([
    [{ body: 'ready' }, 'all ready', 'ok: status 200'],
    [{ body: '^ready' }, 'all ready', 'fail mismatch explicit: the body does not match /^ready/'],
    [{ body: '(?i)READY' }, 'ready', 'ok: status 200'],
    [{ body: 'gr\u00fcn' }, 'gr\u00fcn', 'ok: status 200'],
    [{ body: 'x' }, '', 'fail mismatch explicit: the body does not match /x/'],
    [{ body_not: '(?i)error' }, 'fine', 'ok: status 200'],
    [{ body_not: '(?i)error' }, 'Error 7', 'fail mismatch explicit: the body matches /(?i)error/'],
    [{ body: 'a', body_not: 'b' }, 'ab', 'fail mismatch explicit: the body matches /b/'],
  ])('%j against %j -> %s', async (rules, body, expected) => {
    expect(await judged(response(200, body), { expect: rules })).toBe(expected);
  });

  test('the status is judged first', async () => {
    expect(await judged(response(500, 'ready'), { expect: { body: 'ready' } })).toBe(
      'fail status explicit: status 500',
    );
  });

  test('HEAD: the body is empty, whatever Content-Length says', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    expect(await judged(answer, { method: 'HEAD' })).toBe('ok: status 200');
    expect(await judged(answer, { method: 'HEAD', expect: { body: '^$' } })).toBe('ok: status 200');
  });
});

describe('max_body', () => {
  test.each([
    ['10B', {}, 'ok: status 200'],
    ['4B', {}, 'ok: status 200'],
    ['10B', { body: '^0123456789$' }, 'ok: status 200'],
    ['9B', { body: '0' }, 'fail too_large explicit: the body is larger than 9B'],
    ['9B', { body_not: 'x' }, 'fail too_large explicit: the body is larger than 9B'],
    ['9B', { status: 404, body: 'x' }, 'fail status explicit: status 200'],
  ])('%s of ten bytes with %j -> %s', async (max_body, rules, expected) => {
    expect(await judged(response(200, '0123456789'), { max_body, expect: rules })).toBe(expected);
  });

  test('without a body rule the rest is not read: the attempt ends, the server never does', async () => {
    const port = await serve(
      createServer((_request, answer) => {
        const pour = (): void => {
          while (!answer.destroyed && answer.write(Buffer.alloc(65_536)));
        };
        answer.on('drain', pour);
        pour();
      }),
    );
    const url = `http://127.0.0.1:${port}/`;
    expect(verdict(await attemptOnce(http, { url, max_body: '1MiB' }))).toBe('ok');
    const ruled = await attemptOnce(http, { url, max_body: '1MiB', expect: { body: 'x' } });
    expect(verdict(ruled)).toBe('fail too_large explicit');
  });
});

describe('expect.headers, headers_not', () => {
  const head = 'Content-Type: application/json\r\nX-Role: replica\r\nX-Role: primary\r\n';

  test.each([
    [{ headers: { 'Content-Type': '^application/json$' } }, 'ok: status 200'],
    [{ headers: { 'x-role': '^primary$' } }, 'ok: status 200'],
    [
      { headers: { 'x-role': '^witness$' } },
      'fail mismatch explicit: the header x-role does not match /^witness$/',
    ],
    [{ headers: { 'x-none': '' } }, 'fail mismatch explicit: the header x-none is missing'],
    [{ headers_not: { 'x-none': '.' } }, 'ok: status 200'],
    [{ headers_not: { 'X-Role': 'replica' } }, 'fail mismatch explicit: the header X-Role matches /replica/'],
    [{ headers_not: { 'X-Role': 'witness' } }, 'ok: status 200'],
  ])('%j -> %s', async (rules, expected) => {
    expect(await judged(response(200, '', head), { expect: rules })).toBe(expected);
  });
});

describe('what a server sees', () => {
  async function seen(settings: object): Promise<{ request: IncomingMessage; body: string }> {
    const requests: { request: IncomingMessage; body: string }[] = [];
    const port = await serve(
      createServer((request, answer) => {
        let body = '';
        request.setEncoding('utf8');
        request.on('data', (part: string) => (body += part));
        request.on('end', () => {
          requests.push({ request, body });
          answer.end('ok');
        });
      }),
    );
    const attempt = await attemptOnce(http, { url: `http://127.0.0.1:${port}/a?b=%20`, ...settings });
    expect(verdict(attempt)).toBe('ok');
    expect(requests).toHaveLength(1);
    return requests[0]!;
  }

  test('a plain GET', async () => {
    const { request, body } = await seen({});
    expect([request.method, request.url, body]).toEqual(['GET', '/a?b=%20', '']);
    const { host, ...headers } = request.headers;
    expect(headers).toEqual({ 'user-agent': `vitald/${VERSION}`, accept: '*/*', connection: 'close' });
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('headers of the user, in place of ours', async () => {
    const { request } = await seen({ headers: { 'USER-AGENT': 'me', Host: 'virtual', 'X-Token': 'a b' } });
    expect(request.headersDistinct).toMatchObject({
      'user-agent': ['me'],
      host: ['virtual'],
      'x-token': ['a b'],
    });
  });

  test.each([
    ['gr\u00fcn', 'gr\u00fcn', undefined],
    [{ text: 'a' }, 'a', undefined],
    [{ json: { ping: [1, null] } }, '{"ping":[1,null]}', 'application/json'],
    [1, '1', undefined],
  ])('the body %j', async (written, body, type) => {
    const { request, body: received } = await seen({ method: 'POST', body: written });
    expect([received, request.headers['content-type']]).toEqual([body, type]);
    expect(request.headers['content-length']).toBe(String(Buffer.byteLength(body)));
  });

  test('a body larger than the socket takes at once', async () => {
    const { body } = await seen({ method: 'PUT', body: 'x'.repeat(3_000_000) });
    expect(body).toHaveLength(3_000_000);
  });

  test.each([
    [{ basic: { username: 'u', password: 'p' } }, 'Basic dTpw'],
    [{ bearer: 't' }, 'Bearer t'],
  ])('auth %j', async (auth, expected) => {
    expect((await seen({ auth })).request.headers.authorization).toBe(expected);
  });
});
