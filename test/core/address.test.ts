import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../src/core/address.ts';

test.each([
  ['10.0.0.7:5432', { host: '10.0.0.7', port: 5432 }],
  ['db.internal:1', { host: 'db.internal', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
  ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
])('%s is an address, and comes back as it was', (text, parsed) => {
  expect(parseAddress(text)).toEqual(parsed);
  expect(formatAddress(parsed)).toBe(text);
});

test.each([
  ['db', '"db" has no port; write host:port'],
  ['db:0', 'port 0 is out of range (1 to 65535)'],
  ['db:65536', 'port 65536 is out of range (1 to 65535)'],
  ['::1:80', '"::1:80" is not host:port or [v6]:port'],
  ['db:http', '"db:http" is not host:port or [v6]:port'],
  ['', '"" is not host:port or [v6]:port'],
  ['http://db:80', '"http://db:80" is not host:port or [v6]:port'],
])('%j: %s', (text, problem) => expect(parseAddress(text)).toBe(problem));
