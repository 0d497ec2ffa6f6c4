import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  address,
  duration,
  flag,
  httpUrl,
  integer,
  oneOrMore,
  size,
  text,
  textMap,
  withShortForm,
} from '../../src/schema/scalars.ts';

/** What comes out, or the messages where the value is refused. */
function parsed(schema: z.ZodType, raw: unknown): unknown {
  const { success, data, error } = schema.safeParse(raw);
  return success ? data : error.issues.map(({ message }) => message);
}

test.each([
  ['500ms', 500],
  ['1m30s', 90_000],
  ['2147483647ms', 2_147_483_647],
  [5, ['a duration needs a unit: 5s or 5ms?']],
  ['5', ['"5" is not a duration such as 500ms, 2s or 1m30s']],
  ['5 s', ['"5 s" is not a duration such as 500ms, 2s or 1m30s']],
  ['-5s', ['"-5s" is not a duration such as 500ms, 2s or 1m30s']],
  ['0s', ['"0s" is too short; the least is 1ms']],
  ['0.1ms', ['"0.1ms" is too short; the least is 1ms']],
  ['25d', ['"25d" is above the longest duration, 2147483647ms (24d20h)']],
  [true, ['expected a duration such as 500ms, 2s or 1m30s']],
])('duration %j -> %j', (raw, expected) => expect(parsed(duration(), raw)).toEqual(expected));

test('a duration may be allowed to be nothing', () => expect(parsed(duration({ min: 0 }), '0s')).toBe(0));

test.each([
  ['512B', 512],
  ['64KiB', 65_536],
  ['1.5MiB', 1_572_864],
  ['1kB', 1_000],
  ['0B', 0],
  ['64', ['"64" is not a size such as 512B, 64KiB or 1MiB']],
  ['1mib', ['"1mib" is not a size such as 512B, 64KiB or 1MiB']],
  [64, ['expected a size with its unit, such as 512B, 64KiB or 1MiB']],
])('size %j -> %j', (raw, expected) => expect(parsed(size(), raw)).toEqual(expected));

describe('numbers and booleans, written as such or as text', () => {
  const range = ['expected a whole number, from 1 to 10'];
  test.each([
    [1, 1],
    [10, 10],
    ['7', 7],
    [0, range],
    ['11', range],
    [1.5, range],
    ['1.5', range],
    ['', range],
    ['1e1', range],
    [' 7', range],
    [true, range],
  ])('integer %j -> %j', (raw, expected) => expect(parsed(integer(1, 10), raw)).toEqual(expected));

  test('without an upper end', () => {
    expect(parsed(integer(1), -1)).toEqual(['expected a whole number, 1 or more']);
  });

  test.each([
    [true, true],
    ['true', true],
    ['false', false],
    ['yes', ['expected true or false']],
    [1, ['expected true or false']],
  ])('flag %j -> %j', (raw, expected) => expect(parsed(flag(), raw)).toEqual(expected));

  test.each([
    ['a', 'a'],
    ['', ''],
    [7, '7'],
    [-7, '-7'],
    [true, 'true'],
    [1.5, ['this number has to be in quotes to be text']],
    [2 ** 60, ['this number has to be in quotes to be text']],
    [null, ['Invalid input: expected string, received null']],
  ])('text %j -> %j', (raw, expected) => expect(parsed(text(), raw)).toEqual(expected));

  test('a map of texts', () => {
    expect(parsed(textMap(), { a: 1, b: 'x', c: false })).toEqual({ a: '1', b: 'x', c: 'false' });
    expect(parsed(textMap(), { a: [] })).toEqual(['Invalid input: expected string, received array']);
  });
});

test.each([
  ['h:1', { host: 'h', port: 1 }],
  ['[::1]:5', { host: '::1', port: 5 }],
  ['h:65536', ['port 65536 is out of range (1 to 65535)']],
  ['h', ['"h" has no port; write host:port']],
  [8080, ['expected host:port']],
])('address %j -> %j', (raw, expected) => expect(parsed(address(), raw)).toEqual(expected));

describe('URLs', () => {
  test.each([
    'http://h',
    'HTTPS://H:8443/a/../b?c=%7e#d',
    'http://[::1]:80/',
    'http://10.0.0.1/a:b@c',
    'http://h/?q=a@b',
    'http://b\u00fccher.example/gr\u00fcn',
  ])('%s is taken as it is written', (url) => expect(parsed(httpUrl(), url)).toBe(url));

  const begin = 'the URL must begin with http:// or https:// and a host';
  test.each([
    ['h', begin],
    ['ftp://h', begin],
    ['http:/h', begin],
    ['http:///h', begin],
    ['http://', begin],
    ['http://?a', begin],
    ['http://h/a b', 'a URL must not contain spaces or control characters'],
    ['http://h/\n', 'a URL must not contain spaces or control characters'],
    ['http://h:0/', 'port 0 is out of range (1 to 65535)'],
    ['http://h:65536', 'port 65536 is out of range (1 to 65535)'],
    ['http://[::1]:99999/', 'port 99999 is out of range (1 to 65535)'],
    ['http://h:x/', 'this is not a valid URL'],
    ['http://[::1/', 'this is not a valid URL'],
    ['http://999.0.0.1/', 'this is not a valid URL'],
    ['http://u:p@h/', 'write credentials as auth, not inside the URL'],
    ['http://u@h/', 'write credentials as auth, not inside the URL'],
    ['http://@h/', 'write credentials as auth, not inside the URL'],
    ['http://h\\a/', 'this is not a valid URL'],
    ['http://h/\ud800', 'this is not a valid URL'],
    [7, 'expected a URL'],
  ])('%j is refused: %s', (url, message) => expect(parsed(httpUrl(), url)).toEqual([message]));
});

test.each([
  [7, [7]],
  [
    [7, 8],
    [7, 8],
  ],
  [[], ['the list is empty']],
])('one or more: %j -> %j', (raw, expected) => expect(parsed(oneOrMore(integer(1)), raw)).toEqual(expected));

test('a short form stands for its long one; what is no short form is left to the long one', () => {
  const long = textMap();
  const scalar = withShortForm(['scalar'], (only) => ({ only }), long);
  expect(parsed(scalar, 'x')).toEqual({ only: 'x' });
  expect(parsed(scalar, { a: 'x' })).toEqual({ a: 'x' });
  expect(parsed(scalar, ['x'])).toEqual(['Invalid input: expected record, received array']);
  const list = withShortForm(['list'], (words) => ({ words: String(words) }), long);
  expect(parsed(list, ['a', 'b'])).toEqual({ words: 'a,b' });
  expect(parsed(list, 'x')).toEqual(['Invalid input: expected record, received string']);
});
