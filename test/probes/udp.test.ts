import { createSocket } from 'node:dgram';
import { describe, expect, test } from 'vitest';
import { udp } from '../../probes/udp.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { type Reply, closedUdpPort, udpServer } from '../support/datagrams.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';
import { verdict } from '../support/verdict.ts';

async function judged(
  serve: (datagram: Buffer, reply: Reply) => void,
  settings: object,
  timeoutMs = 10_000,
): Promise<string> {
  const address = `127.0.0.1:${await udpServer(serve)}`;
  const attempt = await attemptOnce(udp, { address, send: 'ping', ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

const echo = (datagram: Buffer, reply: Reply): void => reply(datagram);

describe('with an answer expected', () => {
  test.each([
    [{ expect: '^ping$' }, 'ok: the answer is as expected'],
    [{ send: 'süß', expect: '^süß$' }, 'ok: the answer is as expected'],
    [{ send_hex: '00 ff 80', send: undefined, expect_hex: 'ff80' }, 'ok: the answer is as expected'],
    [{ send: '', expect_not: 'x' }, 'ok: the answer is as expected'],
    [{ expect: 'pong' }, 'fail mismatch explicit: the answer is "ping", which is not /pong/'],
    [{ expect_hex: '00' }, 'fail mismatch explicit: the answer is "ping"'],
    [{ expect: 'ping', expect_not: 'p.n' }, 'fail mismatch explicit: the answer matches /p.n/'],
  ])('%j -> %s', async (settings, expected) => {
    expect(await judged(echo, settings)).toBe(expected);
  });

  test.each([
    [{ expect: HOSTILE_PATTERN }, 'fail too_large explicit: no match in the first 1.9KiB'],
    [{ expect_not: HOSTILE_PATTERN }, 'fail too_large explicit: no match in the first 1.9KiB'],
    [{ expect: '!', expect_not: HOSTILE_PATTERN }, 'fail too_large explicit: no match in the first 1.9KiB'],
    [{ expect_hex: '21' }, 'ok: the answer is as expected'],
  ])('a datagram that is longer than a pattern reaches: %j -> %s', async (settings, expected) => {
    expect(await judged((_, reply) => reply(Buffer.from(`!${hostileText(9_000)}`)), settings)).toBe(expected);
  });

  test('silence', async () => {
    expect(await judged(() => {}, { expect: 'x' }, 100)).toBe('fail timeout silent: no answer within 100ms');
  });

  test('one lost datagram is no outage: it is sent once more, half-way to the deadline', async () => {
    let seen = 0;
    const deaf = (datagram: Buffer, reply: Reply): void => void (++seen === 2 && reply(datagram));
    expect(await judged(deaf, { expect: 'ping' }, 1_000)).toBe('ok: the answer is as expected');
    seen = 0;
    expect(await judged(deaf, { expect: 'ping', resend: false }, 200)).toContain('fail timeout silent');
    expect(seen).toBe(1);
    seen = 2;
    await judged(deaf, { expect: 'ping' }, 200);
    expect(seen).toBe(4);
  });

  test('nobody has the port', async () => {
    const address = `127.0.0.1:${await closedUdpPort()}`;
    const attempt = await attemptOnce(udp, { address, send: 'x', expect: 'x' });
    expect(`${verdict(attempt)}: ${attempt.outcome.message}`).toBe(
      `fail refused explicit: recvmsg ECONNREFUSED ${address}`,
    );
  });

  test('what others send is not taken for the answer', async () => {
    const stranger = createSocket('udp4');
    const address = `127.0.0.1:${await udpServer((_datagram, reply, from) => {
      stranger.send('no', from.port, '127.0.0.1', () => reply(Buffer.from('yes')));
    })}`;
    const attempt = await attemptOnce(udp, { address, send: 'x', expect: 'yes' });
    stranger.close();
    expect(attempt.outcome).toEqual({
      status: 'ok',
      message: 'the answer is as expected',
      facts: { bytes: 3 },
    });
  });

  test('the largest datagram there is, and an empty one', async () => {
    const largest = (_datagram: Buffer, reply: Reply): void => reply(Buffer.alloc(65_507, 'a'));
    expect(await judged(largest, { expect: '^a+$' })).toBe('ok: the answer is as expected');
    const empty = (_datagram: Buffer, reply: Reply): void => reply(Buffer.alloc(0));
    expect(await judged(empty, { expect: 'a' })).toBe(
      'fail mismatch explicit: the answer is "", which is not /a/',
    );
  });

  test('IPv6', async () => {
    const port = await udpServer(echo, '::1');
    const settings = { address: `[::1]:${port}`, send: 'x', expect: 'x', family: 6 };
    expect(verdict(await attemptOnce(udp, settings))).toBe('ok');
  });

  test('a name that is not there', async () => {
    const attempt = await attemptOnce(udp, { address: 'nowhere.invalid:1', send: 'x' });
    expect(verdict(attempt)).toBe('fail dns path');
  });
});

describe('with nothing expected', () => {
  test('ok once nobody has refused it for a moment, or at once when there is an answer', async () => {
    expect(await judged(() => {}, {})).toBe('ok: sent, and not refused');
    expect(await judged(echo, {})).toBe('ok: answered');
    expect(await judged(() => {}, {}, 100)).toBe('ok: sent, and not refused');
  });

  test('refused', async () => {
    const settings = { address: `127.0.0.1:${await closedUdpPort()}`, send: 'x' };
    expect(verdict(await attemptOnce(udp, settings))).toBe('fail refused explicit');
  });
});

test('a flood of answers ends with the first', async () => {
  const flood = (datagram: Buffer, reply: Reply): void => {
    for (let index = 0; index < 2_000; index++) reply(datagram);
  };
  expect(await judged(flood, { expect: 'ping' })).toBe('ok: the answer is as expected');
});

test('the trace tells what goes, what comes, and each rule', async () => {
  const trace: TraceEntry[] = [];
  const address = `127.0.0.1:${await udpServer(echo)}`;
  const settings = { address, send: 'ping\n', expect: 'pong', expect_not: 'x' };
  await attemptOnce(udp, settings, { onTrace: (entry) => trace.push(entry) });
  expect(trace).toEqual([
    { kind: 'sent', what: 'udp', text: 'ping\n' },
    { kind: 'note', text: `sending to ${address}` },
    { kind: 'received', what: 'udp', text: 'ping\n' },
    { kind: 'rule', rule: 'expect', passed: false, value: String.raw`"ping\n"` },
    { kind: 'rule', rule: 'expect_not', passed: true, value: String.raw`"ping\n"` },
  ]);
});

test('settings that are refused', () => {
  const problem = (settings: object): string | undefined =>
    udp.settings.safeParse({ address: 'h:1', ...settings }).error?.issues[0]?.message;
  expect(problem({})).toBe('udp needs something to send: send or send_hex');
  expect(problem({ send: 'x', send_hex: '00' })).toBe('send and send_hex exclude each other');
  expect(problem({ send: 'x', expect: 'x', expect_hex: '00' })).toBe(
    'expect and expect_hex exclude each other',
  );
  expect(problem({ send: 'x'.repeat(65_508) })).toBe('65508 bytes do not fit into a datagram');
  expect(problem({ address: '127.0.0.1:1', send: 'x', family: 6 })).toBe('127.0.0.1 is not an IPv6 address');
});
