import { mkdtempSync, rmSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';
import { reset } from '../support/reset.ts';
import { closedPort, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

function address(port: number): string {
  return `127.0.0.1:${port}`;
}

/** One attempt at a server that behaves so: the verdict and the message. */
async function judged(serve: (socket: Socket) => void, settings: object, timeoutMs = 2_000): Promise<string> {
  const attempt = await attemptOnce(
    tcp,
    { address: address(await tcpServer(serve)), ...settings },
    { timeoutMs },
  );
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

/** Sends the parts one after the other, each in a packet of its own. */
function inParts(...parts: (string | Buffer)[]): (socket: Socket) => void {
  return (socket) => {
    socket.setNoDelay(true);
    const next = (): void => {
      const part = parts.shift();
      if (part === undefined) return;
      socket.write(part, () => setTimeout(next, 1));
    };
    next();
  };
}

describe('without a rule', () => {
  test('a completed connect is ok, whatever the peer does next', async () => {
    expect(await judged(() => {}, {})).toBe('ok: connected');
    expect(await judged((socket) => socket.end(), {})).toBe('ok: connected');
    expect(verdict(await attemptOnce(tcp, address(await tcpServer(() => {}))))).toBe('ok');
  });

  test('nothing listens', async () => {
    expect(verdict(await attemptOnce(tcp, address(await closedPort())))).toBe('fail refused explicit');
  });

  test('what is sent arrives', async () => {
    let received: (text: string) => void;
    const arrived = new Promise<string>((resolve) => (received = resolve));
    const text = 'PING \u00fc\r\n'.repeat(100_000);
    const reader = (socket: Socket): void => {
      let all = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        all += part;
        if (all.length === text.length) {
          received(all);
          socket.write('+');
        }
      });
    };
    expect(await judged(reader, { send: text, expect: '^[+]$' })).toBe('ok: the answer is as expected');
    expect(await arrived).toBe(text);
  });

  test('to send is enough', async () => {
    expect(await judged(() => {}, { send: 'x' })).toBe('ok: connected and sent');
  });
});

describe('expect, expect_not', () => {
  const said = 'ok: the answer is as expected';

  test.each([
    [{ expect: '^220 ' }, ['220 mail\r\n'], said],
    [{ expect: 'PONG' }, ['+PO', 'NG\r\n'], said],
    [{ expect: '(?s)^one.*three' }, ['one\n', 'two\n', 'three\n'], said],
    [
      { expect: 'gr\u00fcn' },
      [Buffer.from('gr\u00fc').subarray(0, 3), Buffer.from('\u00fcn').subarray(1)],
      said,
    ],
    [{ expect: 'PONG', expect_not: 'ERR' }, ['PONG'], said],
    [
      { expect: 'PONG', expect_not: 'ERR' },
      ['-ERR PONG'],
      'fail mismatch explicit: the answer matches /ERR/',
    ],
    [{ expect: 'PONG', expect_not: 'ERR' }, ['-E', 'RR'], 'fail mismatch explicit: the answer matches /ERR/'],
    [{ expect_not: 'ERR' }, ['fine'], said],
    [
      { expect_not: 'ERR' },
      ['so far ', 'so good ', 'ERR'],
      'fail mismatch explicit: the answer matches /ERR/',
    ],
  ])('%j of %j -> %s', async (rules, parts, expected) => {
    expect(await judged(inParts(...parts), rules)).toBe(expected);
  });

  test.each([
    [{ expect: 'x' }, '', 'fail closed explicit: the peer closed the connection without a word'],
    [{ expect_not: 'x' }, '', 'fail closed explicit: the peer closed the connection without a word'],
    [
      { expect: 'x' },
      'hi',
      'fail closed explicit: the peer closed the connection before the expected answer; it had said "hi"',
    ],
    [{ expect: 'hi' }, 'hi', said],
    [{ expect_not: 'x' }, 'hi', said],
    [{ expect_not: 'hi' }, 'hi', 'fail mismatch explicit: the answer matches /hi/'],
  ])('%j of %j and then the end -> %s', async (rules, text, expected) => {
    expect(await judged((socket) => socket.end(text), rules)).toBe(expected);
  });

  test.each([
    [{ expect: 'x' }, '', 'fail timeout silent: no answer within 150ms'],
    [{ expect_not: 'x' }, '', 'fail timeout silent: no answer within 150ms'],
    [{ expect: 'x' }, 'hi', 'fail timeout silent: the answer was not complete within 150ms'],
  ])('%j of %j and then silence -> %s', async (rules, text, expected) => {
    expect(await judged((socket) => socket.write(text), rules, 150)).toBe(expected);
  });

  test('a trickle without a match does not prolong the timeout', async () => {
    const trickle = (socket: Socket): void => {
      const timer = setInterval(() => socket.write('.'), 5);
      socket.once('close', () => clearInterval(timer));
    };
    expect(await judged(trickle, { expect: 'x' }, 200)).toMatch(/^fail timeout silent/);
    expect(await judged(trickle, { expect_not: 'x' }, 200)).toMatch(/^fail timeout silent/);
  });

  test('a flood without a match', async () => {
    const flood = (socket: Socket): void => void socket.write(Buffer.alloc(500_000, 'a'));
    expect(await judged(flood, { expect: 'x' })).toBe('fail too_large explicit: no match in the first 64KiB');
    expect(await judged(flood, { expect: 'a' })).toBe(said);
  });

  test('a heavy pattern hears less before that', async () => {
    const tooLarge = 'fail too_large explicit: no match in the first 1.9KiB';
    const flood = (socket: Socket): void => void socket.write(hostileText(60_000));
    const brief = (socket: Socket): void => void socket.end(hostileText(2_000));
    for (const serve of [flood, brief]) {
      expect(await judged(serve, { expect: HOSTILE_PATTERN })).toBe(tooLarge);
      expect(await judged(serve, { expect_not: HOSTILE_PATTERN })).toBe(tooLarge);
    }
    const match = (socket: Socket): void => void socket.write(`${'a'.repeat(41)}!${hostileText(60_000)}`);
    expect(await judged(match, { expect: HOSTILE_PATTERN })).toBe(said);
    expect(await judged(match, { expect: 'a!', expect_not: `x${HOSTILE_PATTERN}` })).toBe(said);
  });

  test.each(['', 'hi'])('a reset after %j', async (said) => {
    const rude = (socket: Socket): void => {
      socket.once('data', () => socket.write(said, () => reset(socket)));
    };
    expect(await judged(rude, { send: 'x', expect: 'y' })).toMatch(/^fail reset explicit/);
  });

  test('a reset while we still send costs the attempt, not the process', async () => {
    const settings = { send: 'x'.repeat(20_000_000), expect: 'y' };
    expect(await judged(reset, settings)).toMatch(/^fail reset explicit/);
    const late = (socket: Socket): void => void socket.once('data', () => reset(socket));
    expect(await judged(late, settings)).toMatch(/^fail reset explicit/);
  });
});

test('a unix socket: listening, and gone', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'vitald-'));
  const server = createServer((socket) => socket.end('hi'));
  await new Promise<void>((resolve) => server.listen(join(dir, 's'), resolve));
  expect(verdict(await attemptOnce(tcp, { unix: 's', expect: 'hi' }, { dir }))).toBe('ok');
  await new Promise((resolve) => server.close(resolve));
  expect(verdict(await attemptOnce(tcp, { unix: 's' }, { dir }))).toBe('fail refused explicit');
  rmSync(dir, { recursive: true });
});

test('phases', async () => {
  const port = await tcpServer((socket) => socket.write('hi'));
  const { phases } = await attemptOnce(tcp, { address: address(port), send: 'x', expect: 'hi' });
  expect(Object.keys(phases)).toEqual(['connect', 'send', 'wait', 'receive']);
});
