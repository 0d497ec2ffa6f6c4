import { hostname, networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { thisHost } from '../../src/runtime/this-host.ts';

test('loopback, our own name and addresses, and nobody are this host', () => {
  const own = Object.values(networkInterfaces()).flatMap((near) => near?.map(({ address }) => address) ?? []);
  const here = [undefined, '127.0.0.1', 'localhost', '::1', hostname(), ...own];
  expect(here.filter((host) => !thisHost()(host))).toEqual([]);
});

test.each(['192.0.2.1', '2001:db8::1', 'db.example.com'])('%s is another', (host) => {
  expect(thisHost()(host)).toBe(false);
});
