import { expect, test } from 'vitest';
import { denialOf } from '../../src/api/access.ts';

const LOOPBACK = { host: '127.0.0.1', port: 9_470 };
const OUTSIDE = { host: '10.0.0.2', port: 9_470 };
const SOCKET = { socket: '/run/vitald.sock' };

test.each([
  ['a read on loopback', {}, null],
  ['by any name of loopback', { host: 'localhost:9470' }, null],
  ['by an address of loopback', { host: '[::1]:80' }, null],
  ['without a port', { host: '127.0.0.1' }, null],
  ['a page whose name was pointed to loopback', { host: 'evil.example:9470' }, 403],
  ['a name that only begins like loopback', { host: '127.0.0.1.evil.example:9470' }, 403],
  ['no Host at all', { host: undefined }, 403],
  ['nonsense for a Host', { host: 'a b:c:d' }, 403],
  ['behind a proxy that sends the token', { host: 'status.example', admitted: true }, null],
  ['a wrong token, though none is needed', { admitted: false }, 401],
  ['a change without the token', { changes: true }, 401],
  ['a change with a wrong one', { changes: true, admitted: false }, 401],
  ['a change with the token', { changes: true, admitted: true }, null],
  ['a page of ours, whatever port', { page: { origin: 'http://127.0.0.1:9470' } }, null],
  ['a page of ours behind a proxy', { page: { origin: 'https://x', site: 'same-origin' } }, null],
  ['a page of another site', { page: { site: 'cross-site' } }, 403],
  ['a page of another port', { page: { site: 'same-site', origin: 'http://127.0.0.1:9470' } }, 403],
  ['a page of another site, though with the token', { page: { site: 'cross-site' }, admitted: true }, 403],
  ['a page of another origin in an old browser', { page: { origin: 'http://127.0.0.1:80' } }, 403],
  ['a page without an origin', { page: { origin: 'null' } }, 403],
  ['a read from outside', { listen: OUTSIDE, host: '10.0.0.2:9470' }, 401],
  ['a read from outside that claims to be from here', { listen: OUTSIDE, host: 'localhost' }, 401],
  ['a read from outside with the token', { listen: OUTSIDE, host: 'x', admitted: true }, null],
  ['a read over the socket', { listen: SOCKET, host: undefined }, null],
  ['a change over the socket without the token', { listen: SOCKET, changes: true }, 401],
] as const)('%s', (_what, access, status) => {
  const denial = denialOf({
    changes: false,
    host: '127.0.0.1:9470',
    admitted: null,
    listen: LOOPBACK,
    ...access,
  });
  expect(denial?.status ?? null).toBe(status);
});
