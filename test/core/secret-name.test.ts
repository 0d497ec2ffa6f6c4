import { expect, test } from 'vitest';
import { isSecretName, secretParameters, shownField, withoutParameters } from '../../src/core/secret-name.ts';

test.each([
  ['authorization', true],
  ['Proxy-Authorization', true],
  ['set-cookie', true],
  ['x-api-key', true],
  ['X-Auth-Token', true],
  ['PGPASSWORD', true],
  ['client_secret', true],
  ['sig', true],
  ['key', true],
  ['x-request-id', false],
  ['etag', false],
  ['design', false],
  ['monkey', false],
  ['x-tokens-left', false],
])('a field called %s is a secret: %s', (name, secret) => expect(isSecretName(name)).toBe(secret));

test.each([
  ['GET /z?deep=1&password=abc HTTP/1.1', 'GET /z?deep=1&password=*** HTTP/1.1', ['abc']],
  ['https://h/#access_token=a.b-c&x=1', 'https://h/#access_token=***&x=1', ['a.b-c']],
  ['/z?token=&sig=x', '/z?token=&sig=***', ['x']],
  ['key=no parameter', 'key=no parameter', []],
])('of %j a person sees %j', (text, seen, secrets) => {
  expect(withoutParameters(text)).toBe(seen);
  expect(secretParameters(text)).toEqual(secrets);
});

test('a field shows its value, but for its secrets', () => {
  expect(shownField('x-api-key', 'abc')).toBe('***');
  expect(shownField('location', 'https://h/?sig=abc')).toBe('https://h/?sig=***');
  expect(shownField('content-type', 'text/plain')).toBe('text/plain');
});
