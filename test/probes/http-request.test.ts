import { describe, expect, test } from 'vitest';
import {
  type Request,
  type RequestSettings,
  encode,
  firstRequest,
  headLines,
  originOf,
  redirected,
} from '../../probes/http/request.ts';

function first(settings: Partial<RequestSettings>): Request {
  return firstRequest({ url: 'http://h/', method: 'GET', headers: {}, ...settings }, 'vitald/1');
}

function sent(settings: Partial<RequestSettings>): string {
  return encode(headLines(first(settings))).toString('latin1');
}

/** The header lines of a request, its request line left out. */
function fields(request: Request): string[] {
  return headLines(request).slice(1);
}

describe('the bytes of a request', () => {
  test('a GET: a host, our own name, no length, and the connection closes', () => {
    expect(sent({ url: 'http://h:8080/healthz' })).toBe(
      'GET /healthz HTTP/1.1\r\nhost: h:8080\r\nuser-agent: vitald/1\r\naccept: */*\r\n' +
        'connection: close\r\n\r\n',
    );
  });

  test.each([
    ['http://h', 'GET / HTTP/1.1', 'host: h'],
    ['http://h?a=1', 'GET /?a=1 HTTP/1.1', 'host: h'],
    ['HTTP://Up.Case:80/Path', 'GET /Path HTTP/1.1', 'host: up.case:80'],
    ['http://h/a/../b//c?x=%7e&y=[1]|{}', 'GET /a/../b//c?x=%7e&y=[1]|{} HTTP/1.1', 'host: h'],
    ['http://h/a#fragment', 'GET /a HTTP/1.1', 'host: h'],
    ['http://h#fragment?no=query', 'GET / HTTP/1.1', 'host: h'],
    ['http://[::1]:8080/', 'GET / HTTP/1.1', 'host: [::1]:8080'],
    [
      'http://h/gr\u00fc\u00dfe/\u65e5?q=\u{1f600}',
      'GET /gr%C3%BC%C3%9Fe/%E6%97%A5?q=%F0%9F%98%80 HTTP/1.1',
      'host: h',
    ],
    ['http://b\u00fccher.example:81/', 'GET / HTTP/1.1', 'host: xn--bcher-kva.example:81'],
  ])('%s goes out as it was written', (url, requestLine, host) => {
    const [line, ...rest] = sent({ url }).split('\r\n');
    expect([line, rest[0]]).toEqual([requestLine, host]);
  });

  test.each([
    ['GET', undefined, []],
    ['DELETE', undefined, []],
    ['POST', undefined, ['content-length: 0']],
    ['PUT', undefined, ['content-length: 0']],
    ['PATCH', undefined, ['content-length: 0']],
    ['GET', '', ['content-length: 0']],
    ['POST', 'gr\u00fc\u00dfe', ['content-length: 7']],
  ])('%s with the body %j: %j', (method, text, lengths) => {
    const request = first({ method, body: text === undefined ? undefined : { text, json: false } });
    expect(
      fields(request).filter((line) => /^(content-length|transfer-encoding|content-type)/.test(line)),
    ).toEqual(lengths);
    expect(encode([], request.body).toString('utf8')).toBe(`\r\n\r\n${text ?? ''}`);
  });

  test('a JSON body says what it is, unless the user says something else', () => {
    const body = { text: '{"a":1}', json: true };
    expect(fields(first({ body }))).toContain('content-type: application/json');
    const own = fields(first({ body, headers: { 'Content-Type': 'application/x+json' } }));
    expect(own.filter((line) => /^content-type/i.test(line))).toEqual(['Content-Type: application/x+json']);
  });

  test.each([
    ['User-Agent', 'me', /^user-agent/i],
    ['HOST', 'api.internal', /^host/i],
    ['Accept', 'text/plain', /^accept/i],
    ['Connection', 'keep-alive', /^connection/i],
  ])('%s of the user replaces ours, whatever its case', (name, value, pattern) => {
    expect(fields(first({ headers: { [name]: value } })).filter((line) => pattern.test(line))).toEqual([
      `${name}: ${value}`,
    ]);
  });

  test('header values are sent as the Latin-1 that they are', () => {
    expect(sent({ headers: { x: '\u00e9' } })).toContain('x: \u00e9\r\n');
  });

  test.each([
    [{ bearer: 't0ken' }, 'authorization: Bearer t0ken'],
    [{ basic: { username: 'u', password: 'p:\u00fc' } }, `authorization: Basic ${btoa('u:p:\u00c3\u00bc')}`],
  ])('auth %j', (auth, line) => expect(fields(first({ auth }))).toContain(line));

  test('an authorization header of the user beats auth', () => {
    const request = first({ auth: { bearer: 'x' }, headers: { Authorization: 'Custom y' } });
    expect(fields(request).filter((line) => /^auth/i.test(line))).toEqual(['Authorization: Custom y']);
  });
});

describe('a redirect', () => {
  const full = first({
    url: 'http://h:1/a/b?c=1',
    headers: { Cookie: 'c=1', Host: 'virtual', 'X-Own': '1' },
    auth: { bearer: 't' },
  });

  test.each([
    ['/x', 'http://h:1/x'],
    ['x', 'http://h:1/a/x'],
    ['../x', 'http://h:1/x'],
    ['?d=2', 'http://h:1/a/b?d=2'],
    ['//other/x', 'http://other/x'],
    ['https://h:1/x', 'https://h:1/x'],
    ['/x#part', 'http://h:1/x'],
    ['http://u:p@other/x', 'http://other/x'],
    ['/x y', 'http://h:1/x%20y'],
    // As servers send it: UTF-8, which our reader has taken for Latin-1.
    ['/gr\u00c3\u00bcn', 'http://h:1/gr%C3%BCn'],
  ])('to %j leads to %s', (location, url) => expect(redirected(full, 302, location).url).toBe(url));

  test.each([
    ['/x', ['authorization', 'cookie', 'host', 'x-own']],
    ['http://h:1/x', ['authorization', 'cookie', 'host', 'x-own']],
    ['http://h:2/x', ['x-own']],
    ['https://h:1/x', ['x-own']],
    ['http://other:1/x', ['x-own']],
  ])('to %s keeps %j', (location, kept) => {
    const names = [...redirected(full, 302, location).headers.keys()];
    expect(names.filter((name) => !['user-agent', 'accept'].includes(name)).toSorted()).toEqual(kept);
  });

  test.each([
    ['http://[', 'not a URL'],
    ['http://\xff/', 'not a URL'],
    ['http://h:99999/', 'not a URL'],
    ['file:///etc/passwd', 'away from http'],
    ['javascript:1', 'away from http'],
  ])('to %j is refused', (location, why) => expect(() => redirected(full, 302, location)).toThrow(why));

  test('back to the first origin does not bring the credentials back', () => {
    const back = redirected(redirected(full, 302, 'http://other/'), 302, 'http://h:1/');
    expect([...back.headers.keys()]).not.toContain('authorization');
  });

  test.each([
    [301, 'GET', 'GET'],
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [302, 'PUT', 'PUT'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
  ])(
    '%i turns %s into %s, and a GET that was made of something else has no body',
    (status, before, after) => {
      const request = first({ method: before, body: { text: '{}', json: true } });
      const next = redirected(request, status, '/x');
      expect(next.method).toBe(after);
      const keeps = before === after;
      expect(next.body).toBe(keeps ? '{}' : undefined);
      expect(next.headers.has('content-type')).toBe(keeps);
    },
  );
});

test.each([
  ['http://h/', { secure: false, host: 'h', port: 80 }],
  ['https://h', { secure: true, host: 'h', port: 443 }],
  ['https://h:80/', { secure: true, host: 'h', port: 80 }],
  ['http://[::1]:8080/', { secure: false, host: '::1', port: 8080 }],
])('%s is dialled at %j', (url, origin) => expect(originOf(url)).toEqual(origin));
