import type { Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { WELL, judged, smtp } from '../support/smtp.ts';
import { verdict } from '../support/verdict.ts';
import type { OnPeer } from '../support/zoo/behaviour.ts';
import { makeCertificates } from '../support/zoo/certificates.ts';
import { createZooContext } from '../support/zoo/context.ts';

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`tcp-starttls.test.ts skips: ${noOpenssl}`);

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
