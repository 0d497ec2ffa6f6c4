import type { Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';
import type { OnPeer } from '../support/zoo/behaviour.ts';
import { makeCertificates } from '../support/zoo/certificates.ts';
import { createZooContext } from '../support/zoo/context.ts';

async function judged(
  serve: (socket: Socket) => void,
  settings: object,
  timeoutMs = 10_000,
): Promise<string> {
  const address = `127.0.0.1:${await tcpServer(serve)}`;
  const attempt = await attemptOnce(tcp, { address, ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

/** Answers each line, or what else comes at once, by the first entry of the script that begins it. */
function answers(
  greeting: string,
  script: Readonly<Record<string, string | Buffer>>,
): (socket: Socket) => void {
  return (socket) => {
    if (greeting !== '') socket.write(greeting);
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString('latin1').split(/(?<=\n)/)) {
        const key = Object.keys(script).find((begin) => line.startsWith(begin));
        if (key !== undefined) socket.write(script[key]!);
      }
    });
  };
}

const WELL = 'ok: the dialogue went as expected';
const smtp = answers('220 mail ESMTP\r\n', {
  EHLO: '250-mail\r\n250-SIZE 100\r\n250-STARTTLS\r\n250 HELP\r\n',
  NOOP: '250 2.0.0 Ok\r\n',
  QUIT: '221 Bye\r\n',
});

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
    socket.write('a'.repeat(60_000));
    const timer = setInterval(() => socket.write('a'), 1);
    socket.once('close', () => clearInterval(timer));
  };
  const before = process.cpuUsage();
  expect(await judged(serve, { expect: '(?i)error|fail|[a-z]{30,60}Z' }, 1_000)).toMatch(/^fail timeout/);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(700);
});

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`tcp-dialogue.test.ts skips STARTTLS: ${noOpenssl}`);

describe.skipIf(noOpenssl)('STARTTLS', () => {
  if (noOpenssl) return;
  const { certificates, remove } = makeCertificates();
  afterAll(remove);
  const ca = certificates.ca.certFile;

  /** What the dialogue comes to with a server that sends `reply` and starts TLS, and goes on as told. */
  async function started(
    reply: string | Buffer,
    onTls: OnPeer,
    {
      steps = [{ starttls: { ca } }] as object[],
      ask = 'STARTTLS\r\n',
      expectReply = '^220 ',
      timeoutMs = 10_000,
    } = {},
  ): Promise<string> {
    const zoo = createZooContext(certificates);
    try {
      const port = await zoo.upgrading((socket, startTls) => {
        socket.once('data', () => {
          socket.write(reply);
          startTls(onTls);
        });
      });
      const attempt = await attemptOnce(
        tcp,
        { address: `127.0.0.1:${port}`, steps: [{ send: ask }, { expect: expectReply }, ...steps] },
        { timeoutMs },
      );
      const { facts = {} } = attempt.outcome;
      const certificate = 'tls_subject' in facts ? ` (${String(facts['tls_subject'])})` : '';
      return `${verdict(attempt)}: ${attempt.outcome.message}${certificate}`;
    } finally {
      await zoo.close();
    }
  }

  test('and nothing more', async () => {
    expect(await started('220 go ahead\r\n', () => {})).toBe(
      'ok: the dialogue went as expected, TLS is up (good)',
    );
  });

  test('and the dialogue goes on over TLS', async () => {
    const steps = [
      { starttls: { ca } },
      { send: 'EHLO vitald\r\n', expect: '^250 ', expect_not: 'evil' },
      { send: 'QUIT\r\n' },
      { expect: '^221 ' },
    ];
    expect(await started('220 go ahead\r\n', smtp, { steps })).toBe(`${WELL} (good)`);
  });

  test.each<[what: string, reply: string | Buffer, expected: RegExp, options?: object]>([
    ['a reply to the end of its line', '220 go ahead\r\n', /^ok/],
    [
      'what was slipped in behind it',
      '220 go\r\n250 evil\r\n',
      /^fail protocol explicit: step 3: the peer sent more/,
    ],
    ['half a line behind it', '220 go\r\nX', /^fail protocol/],
    ['a reply that is a byte', 'S', /^ok/, { expectReply: '^S' }],
    ['what was slipped in behind a byte', 'Sevil', /^fail protocol/, { expectReply: '^S' }],
    ['a reply that was used up whole', '220 go\r\n', /^ok/, { expectReply: '^220 .*\n' }],
    [
      'a line behind a reply that was used up whole',
      '220 go\r\nevil\r\n',
      /^fail protocol/,
      { expectReply: '^220 .*\n' },
    ],
  ])('%s', async (_what, reply, expected, options) => {
    expect(await started(reply, () => {}, options)).toMatch(expected);
  });

  test('a reply in pieces: the end of its line is awaited', async () => {
    const zoo = createZooContext(certificates);
    const port = await zoo.upgrading((socket, startTls) => {
      socket.setNoDelay(true);
      socket.write('220 hello\r\n');
      socket.once('data', () => {
        socket.write('220 ', () =>
          setImmediate(() =>
            socket.write('go ahead', () =>
              setTimeout(() => {
                socket.write('\r\n');
                startTls(() => {});
              }, 5),
            ),
          ),
        );
      });
    });
    const steps = [{ expect: '^220 ' }, { send: 'STARTTLS\r\n' }, { expect: '^220 ' }, { starttls: { ca } }];
    const attempt = await attemptOnce(tcp, { address: `127.0.0.1:${port}`, steps });
    await zoo.close();
    expect(verdict(attempt)).toBe('ok');
  });

  test.each<[what: string, onPeer: (socket: Socket) => void, expected: RegExp]>([
    ['closes', (socket) => socket.end('220 go\r\n'), /^fail closed/],
    [
      'closes in the handshake',
      (socket) => void socket.write('220 go\r\n', () => socket.once('data', () => socket.end())),
      /^fail closed explicit: step 3: the peer closed the connection during the TLS/,
    ],
    [
      'resets in the handshake',
      (socket) => void socket.write('220 go\r\n', () => socket.once('data', () => reset(socket))),
      /^fail reset/,
    ],
    [
      'says garbage in the handshake',
      (socket) =>
        void socket.write('220 go\r\n', () => socket.once('data', () => socket.write('garbage garbage'))),
      /^fail tls/,
    ],
    [
      'is silent in the handshake',
      (socket) => void socket.write('220 go\r\n'),
      /^fail timeout silent: connected, but no TLS handshake/,
    ],
  ])('a peer that %s', async (_what, onPeer, expected) => {
    const steps = [{ send: 'STARTTLS\r\n' }, { expect: '^220 ' }, { starttls: true }];
    expect(await judged((socket) => void socket.once('data', () => onPeer(socket)), { steps }, 300)).toMatch(
      expected,
    );
  });

  test('a certificate of nobody known', async () => {
    expect(await started('220 go\r\n', () => {}, { steps: [{ starttls: true }] })).toMatch(
      /^fail tls explicit: step 3: /,
    );
  });

  test('the trace tells what was said, heard and held', async () => {
    const zoo = createZooContext(certificates);
    const port = await zoo.upgrading((socket, startTls) => {
      socket.write('220 mail\r\n');
      socket.once('data', () => {
        socket.write('220 go\r\n');
        startTls(smtp);
      });
    });
    const entries: TraceEntry[] = [];
    const steps = [
      { expect: '^220 .*' },
      { send: 'STARTTLS\r\n', expect: '^220 .*' },
      { starttls: { ca } },
      { send: 'AUTH PLAIN c2VjcmV0\r\nNOOP\r\n', expect: '^250 ', expect_not: 'Ok' },
      { expect_hex: '00' },
    ];
    await attemptOnce(
      tcp,
      { address: `127.0.0.1:${port}`, steps },
      { onTrace: (entry) => entries.push(entry) },
    );
    await zoo.close();
    expect(entries).toMatchObject([
      { kind: 'note', text: `connected to 127.0.0.1:${port}` },
      { kind: 'rule', rule: 'steps[0].expect', passed: true },
      { kind: 'received', what: 'steps[0]', text: '220 mail\r' },
      { kind: 'sent', what: 'steps[1]', text: 'STARTTLS\r\n' },
      { kind: 'rule', rule: 'steps[1].expect', passed: true },
      { kind: 'received', what: 'steps[1]', text: '\n220 go\r' },
      { kind: 'note', text: 'TLS starts' },
      { kind: 'certificates' },
      { kind: 'sent', what: 'steps[3]', text: 'AUTH ***\r\nNOOP\r\n' },
      {
        kind: 'rule',
        rule: 'steps[3].expect',
        passed: true,
        value: String.raw`"220 mail ESMTP\r\n250 2.0.0 Ok\r\n"`,
      },
      { kind: 'rule', rule: 'steps[3].expect_not', passed: false },
      { kind: 'received', what: 'steps[3]', text: '220 mail ESMTP\r\n250 2.0.0 Ok\r\n' },
      { kind: 'rule', rule: 'steps[4].expect_hex', passed: false, value: 'not reached' },
    ]);
  });
});
