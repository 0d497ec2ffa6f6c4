import { describe, expect, test } from 'vitest';
import { createCookieJar } from '../../probes/http/cookies.ts';

const NOW = Date.UTC(2026, 0, 1);

/** What is sent to each URL, after these cookies were set by the first. */
function sent(from: string, fields: string[], to: string): string | undefined {
  const jar = createCookieJar();
  jar.store(from, fields, NOW);
  return jar.header(to);
}

const HTTP = 'http://shop.example.com/a/b';
const HTTPS = 'https://shop.example.com/a/b';

describe('a cookie goes', () => {
  test.each<[string, string[], string, string | undefined]>([
    ['back to its host', ['a=1', 'b=x=y; HttpOnly'], HTTP, 'a=1; b=x=y'],
    ['to its host on another port', ['a=1'], 'http://shop.example.com:81/a/', 'a=1'],
    ['to no other host', ['a=1'], 'http://example.com/a/', undefined],
    ['to no host below', ['a=1'], 'http://www.shop.example.com/a/', undefined],
    ['to the hosts of its domain', ['a=1; Domain=.Example.com; Path=/'], 'http://www.example.com/', 'a=1'],
    [
      'to no domain that ends alike',
      ['a=1; Domain=example.com; Path=/'],
      'http://badexample.com/',
      undefined,
    ],
    ['nowhere, for a domain of others', ['a=1; Domain=other.com; Path=/'], 'http://other.com/', undefined],
    ['nowhere, for a domain of one label', ['a=1; Domain=com; Path=/'], HTTP, undefined],
    ['to its directory', ['a=1'], 'http://shop.example.com/a/c', 'a=1'],
    ['to no other directory', ['a=1'], 'http://shop.example.com/ab', undefined],
    ['to its path', ['a=1; Path=/x'], 'http://shop.example.com/x/y', 'a=1'],
    ['to no path that begins alike', ['a=1; Path=/x'], 'http://shop.example.com/xy', undefined],
    ['first, the longer its path', ['a=1; Path=/', 'b=2; Path=/a'], HTTP, 'b=2; a=1'],
    ['in its last version', ['a=1', 'a=2'], HTTP, 'a=2'],
    ['nowhere once deleted', ['a=1', 'a=; Max-Age=0'], HTTP, undefined],
    ['nowhere once it is over', ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], HTTP, undefined],
    ['back while it lasts', ['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT'], HTTP, 'a=1'],
    ['by Max-Age first', ['a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], HTTP, 'a=1'],
    ['nowhere, secure from plain', ['a=1; Secure'], HTTPS, undefined],
    ['nowhere without a name', ['=1', 'novalue', ' ; Path=/'], HTTP, undefined],
    ['nowhere with a control character', ['a=1\u0001'], HTTP, undefined],
    ['nowhere when too large', [`a=${'x'.repeat(5_000)}`], HTTP, undefined],
    ['nowhere with a prefix that it does not earn', ['__Secure-a=1', '__Host-b=1; Path=/'], HTTP, undefined],
  ])('%s', (_what, fields, to, expected) => expect(sent(HTTP, fields, to)).toBe(expected));

  test('over TLS alone, when secure', () => {
    expect(sent(HTTPS, ['a=1; Secure', '__Host-b=2; Secure; Path=/'], HTTPS)).toBe('a=1; __Host-b=2');
    expect(sent(HTTPS, ['a=1; Secure'], HTTP)).toBeUndefined();
  });

  test('to an address alone, when it is from one', () => {
    expect(sent('http://10.0.0.1/', ['a=1; Domain=10.0.0.1'], 'http://10.0.0.1/')).toBe('a=1');
    expect(sent('http://10.0.0.1/', ['a=1; Domain=0.0.1'], 'http://9.0.0.1/')).toBeUndefined();
  });
});

test('a jar is bounded', () => {
  const jar = createCookieJar();
  jar.store(
    HTTP,
    Array.from({ length: 500 }, (_, n) => `c${n}=1`),
    NOW,
  );
  expect(jar.header(HTTP)?.split('; ')).toHaveLength(50);
});
