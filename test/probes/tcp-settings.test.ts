import { expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';

test.each<[object, string, string?]>([
  [{}, 'tcp takes either address or unix'],
  [{ address: 'h:1', unix: '/s' }, 'tcp takes either address or unix'],
  [{ address: 'h' }, '"h" has no port; write host:port', 'address'],
  [
    { address: 'h:1', expect: '(' },
    'the pattern does not compile: error parsing regexp: missing closing ): `(`',
    'expect',
  ],
  [{ address: 'h:1', send: 'x', send_hex: '00' }, 'send and send_hex exclude each other', 'send_hex'],
  [
    { address: 'h:1', expect: 'x', expect_hex: '00' },
    'expect and expect_hex exclude each other',
    'expect_hex',
  ],
  [
    { address: 'h:1', send_hex: '123' },
    'a byte has two hex digits, and here is one too many or too few',
    'send_hex',
  ],
  [{ address: 'h:1', send_hex: '0x12' }, '"0x12" is not hex; write bytes such as "50 49 4e 47"', 'send_hex'],
  [{ address: 'h:1', send_hex: '' }, 'there are no bytes', 'send_hex'],
  [{ address: 'h:1', send_hex: 8 }, 'these digits have to be in quotes to be bytes', 'send_hex'],
  [{ address: 'h:1', family: 5 }, 'Invalid option: expected one of "any"|4|6', 'family'],
  [{ address: '127.0.0.1:1', family: 6 }, '127.0.0.1 is not an IPv6 address', 'family'],
  [{ address: '[::1]:1', family: 4 }, '::1 is not an IPv4 address', 'family'],
  [{ unix: '/s', family: 4 }, 'a unix socket has no family', 'family'],
  [{ address: 'h:1', steps: [] }, 'steps is empty', 'steps'],
  [{ address: 'h:1', steps: [{}] }, 'this step neither says nor expects anything', 'steps.0'],
  [{ address: 'h:1', steps: [{ say: 'x' }] }, 'Unrecognized key: "say"', 'steps.0'],
  [{ address: 'h:1', send: 'x', steps: [{ expect: 'x' }] }, 'send and steps exclude each other', 'send'],
  [
    { address: 'h:1', expect_not: 'x', steps: [{ expect: 'x' }] },
    'expect_not and steps exclude each other',
    'expect_not',
  ],
  [
    { address: 'h:1', steps: [{ send: 'x', send_hex: '00' }] },
    'send and send_hex exclude each other',
    'steps.0.send_hex',
  ],
  [
    { address: 'h:1', steps: [{ send: 'x', starttls: true }] },
    'starttls is a step of its own',
    'steps.0.starttls',
  ],
  [
    { address: 'h:1', steps: [{ starttls: false }] },
    'leave starttls out where TLS does not start',
    'steps.0.starttls',
  ],
  [
    { address: 'h:1', steps: [{ starttls: { cert: 'package.json' } }] },
    'cert and key go together',
    'steps.0.starttls',
  ],
  [
    { address: 'h:1', tls: true, steps: [{ expect: 'x' }, { starttls: true }] },
    'TLS is up from the start; starttls cannot start it again',
    'steps.1.starttls',
  ],
  [
    { address: 'h:1', steps: [{ starttls: true }, { starttls: true }] },
    'TLS is up by then; starttls cannot start it twice',
    'steps.1.starttls',
  ],
])('%j is refused at load: %s', (settings, message, path = '') => {
  const { error } = tcp.settings.safeParse(settings);
  expect(error?.issues.map((issue) => [issue.message, issue.path.join('.')])).toEqual([[message, path]]);
});

test.each([
  { address: 'h:1', family: '6' },
  { address: 'h:1', tls: false, steps: [{ starttls: {} }] },
  {
    unix: '/s',
    steps: [{ send_hex: '50 49\n4e47', expect_hex: 'FF' }, { starttls: true }, { expect_not: 'x' }],
  },
])('%j is taken', (settings) => {
  expect(tcp.settings.safeParse(settings).error).toBeUndefined();
});
