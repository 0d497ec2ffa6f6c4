import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { tcpServer } from '../support/servers.ts';
import { WELL, judged, smtp } from '../support/smtp.ts';

describe('steps', () => {
  test('one after the other; what a step matched is used up, the rest serves the next', async () => {
    const steps = [
      { expect: '^220 ' },
      { send: 'EHLO vitald\r\n' },
      { expect: '^250-STARTTLS' },
      { expect: '^250 HELP' },
      { send: 'QUIT\r\n', expect: '^221 ' },
    ];
    expect(await judged(smtp, { steps })).toBe(WELL);
  });

  test('what was used up serves no other step', async () => {
    const steps = [{ expect: 'one' }, { expect: 'one' }];
    expect(await judged((socket) => socket.end('one'), { steps })).toBe(
      'fail closed explicit: step 2: the peer closed the connection without a word',
    );
    expect(await judged((socket) => socket.end('one two one'), { steps })).toBe(WELL);
    expect(await judged((socket) => void socket.write('one'), { steps }, 150)).toMatch(
      /^fail timeout silent/,
    );
  });

  test('one packet may serve many steps, and `^` is where the last one ended', async () => {
    const steps = [{ expect: '^ab' }, { expect: '^cd' }, { expect_hex: '65' }, { expect: '^f$' }];
    expect(await judged((socket) => void socket.write('abcdef'), { steps })).toBe(WELL);
  });

  test('the step that went wrong is named', async () => {
    const steps = [
      { expect: '^220 ' },
      { send: 'NOOP\r\n', expect: 'nothing of the kind', expect_not: 'Ok' },
    ];
    expect(await judged(smtp, { steps })).toBe('fail mismatch explicit: step 2: the answer matches /Ok/');
  });

  test('steps that only send', async () => {
    expect(await judged(() => {}, { steps: [{ send: 'a' }, { send_hex: '00ff' }] })).toBe(
      'ok: connected and sent',
    );
  });

  test('`expect_not` alone uses nothing up', async () => {
    const steps = [{ expect_not: 'ERR' }, { expect: '^fine$' }];
    expect(await judged((socket) => void socket.write('fine'), { steps })).toBe(WELL);
  });

  test('bytes go out as they are, and are matched as they are', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const echo = (socket: Socket): void => void socket.on('data', (chunk) => socket.write(chunk));
    const send_hex = all.toString('hex');
    expect(await judged(echo, { send_hex, expect_hex: send_hex })).toBe('ok: the answer is as expected');
    expect(await judged(echo, { send_hex, expect: String.raw`\x7f\x80[\x81-\x8f]{15}\x90` })).toMatch(/^ok/);
    expect(await judged(echo, { send_hex, expect_hex: '0001 0203' })).toMatch(/^ok/);
    expect(await judged(echo, { send_hex, expect_hex: '0100' }, 150)).toMatch(/^fail timeout/);
  });

  test.each([
    ['gr\u00fcn', 'gr\u00fcn'],
    ['[\u00e4\u00fc]n', 'gr\u00fcn'],
    ['^gr.n$', 'gr\u00fcn', false],
    ['^gr..n$', 'gr\u00fcn'],
    [String.raw`^gr\pLn$`, 'gr\u00fcn'],
    [String.raw`^gr\x{fc}n$`, 'gr\u00fcn'],
    [String.raw`^gr\xc3\xbcn$`, 'gr\u00fcn'],
  ])('%s against %s', async (pattern, text, matches = true) => {
    const outcome = await judged((socket) => socket.end(text), { expect: pattern });
    expect(outcome).toMatch(matches ? /^ok/ : /^fail closed/);
  });
});

describe('`expect_not` beside an `expect` hears the end of the line', () => {
  test.each([
    [['220 ready\r\n'], /^ok/],
    [['220 ERR ready\r\n'], /^fail mismatch/],
    [['220 ', 'ERR ready\r\n'], /^fail mismatch/],
    [['220 ', 'ready'], /^ok/],
    [['220 '], /^ok/],
  ])('%j -> %s', async (parts, expected) => {
    const serve = (socket: Socket): void => {
      socket.setNoDelay(true);
      for (const part of parts) setImmediate(() => socket.write(part));
    };
    expect(await judged(serve, { expect: '^220 ', expect_not: 'ERR' })).toMatch(expected);
  });

  test('also where that comes later', async () => {
    const port = await tcpServer((socket) => {
      socket.write('220 ', () => setTimeout(() => socket.write('ERR\r\n'), 5));
    });
    const clock = createSystemClock();
    // Whatever the machine's speed: the moment that a line has for its end does not pass here.
    const patient: Clock = {
      ...clock,
      schedule: (at, callback) => (at > clock.now() + 20 ? () => {} : clock.schedule(at, callback)),
    };
    const outcome = await tcp.attempt(
      tcp.settings.parse({ address: `127.0.0.1:${port}`, expect: '^220 ', expect_not: 'ERR' }),
      { target: 't', signal: new AbortController().signal, deadline: Infinity, clock: patient, enter() {} },
    );
    expect(outcome).toMatchObject({ status: 'fail', reason: 'mismatch' });
  });

  test('of one that trickles on, no longer than a moment', async () => {
    const serve = (socket: Socket): void => {
      socket.write('220 ');
      const timer = setInterval(() => socket.write('.'), 2);
      socket.once('close', () => clearInterval(timer));
    };
    expect(await judged(serve, { expect: '^220 ', expect_not: 'ERR' })).toMatch(/^ok/);
  });
});

test('a peer that trickles against a slow pattern costs little time', async () => {
  const serve = (socket: Socket): void => {
    socket.write('a'.repeat(40_000));
    const timer = setInterval(() => socket.write('a'), 1);
    socket.once('close', () => clearInterval(timer));
  };
  const before = process.cpuUsage();
  expect(await judged(serve, { expect: '(?i)error|fail|[a-z]{30,60}Z' }, 1_000)).toMatch(/^fail timeout/);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(700);
});
