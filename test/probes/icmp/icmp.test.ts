import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { icmp } from '../../../probes/icmp/probe.ts';
import type { TraceEntry } from '../../../src/core/trace.ts';
import { attemptOnce } from '../../support/attempt.ts';
import { findPrograms } from '../../support/programs.ts';
import { verdict } from '../../support/verdict.ts';

const real = findPrograms([{ program: 'ping', from: 'iputils-ping' }]);
const busybox = findPrograms([{ program: 'busybox', from: 'busybox' }]);

/** Comes first in PATH, so that what lies in it is the `ping` of the test. */
let bin = '';
const path = process.env['PATH'] ?? '';

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'vitald-ping-'));
  process.env['PATH'] = `${bin}${delimiter}${path}`;
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(bin, { recursive: true });
});

function fakePing(script: string): void {
  writeFileSync(join(bin, 'ping'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'ping'), 0o755);
}

function saying(stdout: string, { stderr = '', code = 0 } = {}): void {
  fakePing(`cat <<'END'\n${stdout}\nEND\ncat >&2 <<'END'\n${stderr}\nEND\nexit ${code}`);
}

async function ask(settings: unknown = '127.0.0.1', timeoutMs = 10_000): Promise<string> {
  const attempt = await attemptOnce(icmp, settings, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

function iputils(received: number, sent = received): string {
  const loss = Math.round(100 - (100 * received) / sent);
  return [
    'PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.',
    '64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.034 ms',
    '',
    '--- 127.0.0.1 ping statistics ---',
    `${sent} packets transmitted, ${received} received, ${loss}% packet loss, time 204ms`,
    'rtt min/avg/max/mdev = 10.1/20.5/30.9/0.000 ms',
  ].join('\n');
}

describe('what ping says', () => {
  test('iputils', async () => {
    saying(iputils(2, 3));
    const { outcome } = await attemptOnce(icmp, { host: '127.0.0.1', count: 3 });
    expect(outcome).toEqual({
      status: 'ok',
      message: 'answered in 20.5ms, 33% lost',
      facts: { loss: 33, rtt_ms: 20.5, rtt_max_ms: 30.9, ttl: 64 },
    });
  });

  test('busybox', async () => {
    saying(
      [
        'PING 127.0.0.1 (127.0.0.1): 56 data bytes',
        '64 bytes from 127.0.0.1: seq=0 ttl=63 time=0.024 ms',
        '',
        '--- 127.0.0.1 ping statistics ---',
        '1 packets transmitted, 1 packets received, 0% packet loss',
        'round-trip min/avg/max = 0.024/0.030/0.036 ms',
      ].join('\n'),
    );
    const { outcome } = await attemptOnce(icmp, '127.0.0.1');
    expect(outcome).toEqual({
      status: 'ok',
      message: 'answered in 0.03ms',
      facts: { loss: 0, rtt_ms: 0.03, ttl: 63 },
    });
  });

  const lost = '1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms';
  test.each([
    [
      'a router says no',
      `From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n${lost}`,
      '',
      'fail unreachable path: Destination Host Unreachable',
    ],
    [
      'the way is too long',
      `From 10.0.0.1 icmp_seq=1 Time to live exceeded\n${lost}`,
      '',
      'fail unreachable path: Time to live exceeded',
    ],
    [
      'there is no way',
      '',
      'ping: connect: Network is unreachable',
      'fail unreachable path: Network is unreachable',
    ],
    [
      'it gives up before we do',
      '3 packets transmitted, 0 packets received, 100% packet loss',
      '',
      'fail connect_timeout path: no answer to 1 requests',
    ],
    [
      'it may not',
      'PING 127.0.0.1 (127.0.0.1): 56 data bytes',
      'ping: permission denied (are you root?)',
      'void: our own trouble: ping says ping: permission denied (are you root?)',
    ],
    [
      'it may not send',
      lost,
      'ping: sendmsg: Operation not permitted',
      'void: our own trouble: ping says ping: sendmsg: Operation not permitted',
    ],
    [
      'an option that it does not know',
      '',
      "ping: invalid option -- 'i'",
      "void: our own trouble: ping says ping: invalid option -- 'i'",
    ],
    ['nothing at all', '', '', 'void: our own trouble: ping says nothing'],
  ])('%s', async (_what, stdout, stderr, expected) => {
    saying(stdout, { stderr, code: 1 });
    expect(await ask()).toBe(expected);
  });
});

describe('limits', () => {
  test.each([
    [{ expect: { loss: 33 } }, 'ok: answered in 20.5ms, 33% lost'],
    [{ expect: { loss: 32 } }, 'fail mismatch explicit: 33% of the requests were lost, above 32%'],
    [{ expect: { rtt: '20ms' } }, 'fail mismatch explicit: an answer took 20.5ms, above 20ms'],
    [{ warn: { loss: 0, rtt: '1s' } }, 'warn: 33% of the requests were lost, above 0%'],
    [{ warn: { rtt: '20ms' }, expect: { rtt: '1s' } }, 'warn: an answer took 20.5ms, above 20ms'],
  ])('%j -> %s', async (rules, expected) => {
    saying(iputils(2, 3));
    expect(await ask({ host: '127.0.0.1', count: 3, ...rules })).toBe(expected);
  });
});

test('the command: an address, in a locale that we can read, for as long as we wait', async () => {
  fakePing('echo "$LC_ALL $*"; pwd');
  const trace: TraceEntry[] = [];
  const settings = { host: 'localhost', count: 3, size: 100, family: 4 };
  await attemptOnce(icmp, settings, { timeoutMs: 2_500, onTrace: (entry) => trace.push(entry) });
  expect(trace).toEqual([
    { kind: 'sent', what: 'icmp', text: 'ping -n -c 3 -i 0.2 -W 3 -s 100 127.0.0.1' },
    { kind: 'received', what: 'icmp', text: 'C -n -c 3 -i 0.2 -W 3 -s 100 127.0.0.1\n/\n' },
  ]);
});

test('no answer until the deadline: the host cannot be reached, and ping is gone', async () => {
  fakePing(`echo $$ > ${bin}/pid; exec tail -f /dev/null`);
  expect(await ask('127.0.0.1', 300)).toBe('fail connect_timeout path: no connection within 300ms');
});

test('there is no ping', async () => {
  process.env['PATH'] = bin;
  expect(await ask()).toMatch(/^void: our own trouble: ping could not be started: /);
});

test('a name that is not there', async () => {
  expect(verdict(await attemptOnce(icmp, 'nowhere.invalid'))).toBe('fail dns path');
});

test.each([
  '-f',
  '--help',
  'a b',
  'a;reboot',
  '$(reboot)',
  '',
  'a..b',
  '-h.example',
  'a/b',
  'http://a/',
  'a:80',
  '10.0.0.1 -f',
  'x'.repeat(64),
])('%j is no host', (host) => {
  expect(icmp.settings.safeParse(host).success).toBe(false);
});

test.each(['localhost', 'a.b-c.example.', 'my_host', '10.0.0.1', '::1', 'fe80::1%eth0'])(
  '%j is one',
  (host) => {
    expect(icmp.settings.safeParse(host).success).toBe(true);
  },
);

/** A container may have a ping and no right to use it. */
describe.each([
  ['iputils', real?.[0], '127.0.0.1'],
  ['iputils', real?.[0], '::1'],
  ['busybox', busybox?.[0], '127.0.0.1'],
])('the real one: %s', (_name, program, host) => {
  test.skipIf(!program)(`${host}, three times`, async () => {
    symlinkSync(program!, join(bin, 'ping'));
    const { outcome } = await attemptOnce(icmp, { host, count: 3 }, { timeoutMs: 10_000 });
    if (outcome.status === 'void' || outcome.message.includes('unreachable')) {
      // oxlint-disable-next-line no-console -- a test that is skipped must say what it misses
      console.warn(`skipped: ping may not be used here: ${outcome.message}`);
      return;
    }
    expect(outcome).toMatchObject({ status: 'ok', facts: { loss: 0, ttl: 64 } });
    expect(outcome.facts?.['rtt_ms']).toBeGreaterThan(0);
  });
});
