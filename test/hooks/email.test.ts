import { createSecureContext } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { hooks } from '../../src/hooks/index.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { DOWN, UP, fire } from '../support/hook-events.ts';
import { closedPort, tcpServer } from '../support/servers.ts';
import { smtpServer } from '../support/smtp-server.ts';

const WHO = { from: 'vitald <vitald@example.com>', to: ['ops@example.com', 'Jo <jo@example.com>'] };
const PLAIN = { ...WHO, security: 'none' };

function header(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*(?:\n[ \t].*)*)`, 'im').exec(text)?.[1]?.replaceAll(/\s+/g, ' ');
}

test('a mail of plain text, to everybody', async () => {
  const { address, mails } = await smtpServer();
  expect(await fire(hooks.email, { server: address, ...PLAIN })).toEqual({
    ok: true,
    detail: '250 2.0.0 Ok: queued as 12345',
    retry: false,
  });
  const [{ commands, text } = { commands: [], text: '' }] = mails;
  expect(commands).toEqual(
    expect.arrayContaining([
      'MAIL FROM:<vitald@example.com>',
      'RCPT TO:<ops@example.com>',
      'RCPT TO:<jo@example.com>',
    ]),
  );
  expect(header(text, 'subject')).toBe('orders is down');
  expect(header(text, 'auto-submitted')).toBe('auto-generated');
  expect(header(text, 'message-id')).toBe('<orders-mb0c7s00%2Fdown@example.com>');
  expect(text).toContain(`${DOWN.message} (status, explicit)`);
});

test('what is told of one incident is one conversation', async () => {
  const { address, mails } = await smtpServer();
  await fire(hooks.email, { server: address, ...PLAIN });
  await fire(hooks.email, { server: address, ...PLAIN }, UP);
  const threads = mails.map(({ text }) => header(text, 'references'));
  expect(threads).toEqual(['<orders-mb0c7s00@example.com>', '<orders-mb0c7s00@example.com>']);
});

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console -- a test that is skipped must say what it misses
if (noOpenssl) console.warn(`email.test.ts skips: ${noOpenssl}`);

describe.skipIf(noOpenssl)('the connection', () => {
  if (noOpenssl) return;
  const authority = createAuthority();
  const ca = authority.certFile;
  const { cert, key } = authority.issue('mail', 'DNS:localhost,IP:127.0.0.1');
  const context = createSecureContext({ cert, key });
  afterAll(() => authority.remove());
  const login = { username: 'jo', password: 'secret' };

  test('STARTTLS, then a login', async () => {
    const { address, mails } = await smtpServer({ context, login });
    expect(await fire(hooks.email, { server: address, ...WHO, ca, ...login })).toMatchObject({ ok: true });
    expect(mails[0]?.secure).toBe(true);
  });

  test('TLS from the start', async () => {
    const { address, mails } = await smtpServer({ context, implicit: true });
    expect(await fire(hooks.email, { server: address, ...WHO, ca, security: 'tls' })).toMatchObject({
      ok: true,
    });
    expect(mails[0]?.secure).toBe(true);
  });

  test('nothing is said to a server without STARTTLS, or with a certificate of its own', async () => {
    const open = await smtpServer({ login });
    const result = await fire(hooks.email, { server: open.address, ...WHO, ...login });
    expect(result).toMatchObject({ ok: false });
    const strange = await smtpServer({ context, login });
    expect(await fire(hooks.email, { server: strange.address, ...WHO, ...login })).toMatchObject({
      ok: false,
      retry: true,
      detail: expect.stringMatching(/certificate/),
    });
    expect([...open.mails, ...strange.mails]).toEqual([]);
  });
});

describe('what is tried again', () => {
  test.each([
    ['a greylisting', { RCPT: '450 4.2.0 Greylisted' }, true, /Greylisted/],
    ['a server that is too busy to greet', { GREETING: '421 4.3.2 Too busy' }, true, /Too busy/],
    ['an unknown recipient', { RCPT: '550 5.1.1 No such user' }, false, /No such user/],
    ['a message that is refused', { END: '554 5.7.1 Spam' }, false, /Spam/],
    ['one that is not taken now', { END: '452 4.3.1 Disk full' }, true, /Disk full/],
  ])('%s', async (_name, replies, retry, detail) => {
    const { address } = await smtpServer({ replies });
    const result = await fire(hooks.email, { server: address, ...PLAIN });
    expect(result).toEqual({ ok: false, retry, detail: expect.stringMatching(detail) });
  });

  test('a wrong password is not, a closed port is', async () => {
    const { address } = await smtpServer({ login: { username: 'jo', password: 'right' } });
    expect(
      await fire(hooks.email, { server: address, ...PLAIN, username: 'jo', password: 'wrong' }),
    ).toMatchObject({ ok: false, retry: false, detail: expect.stringMatching(/Bad credentials/) });
    expect(await fire(hooks.email, { server: `127.0.0.1:${await closedPort()}`, ...PLAIN })).toMatchObject({
      ok: false,
      retry: true,
      detail: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  test('the signal ends one that hangs, and closes its connection', async () => {
    const abort = new AbortController();
    let closed: Promise<unknown> | undefined;
    const port = await tcpServer((socket) => {
      closed = new Promise((resolve) => socket.once('close', resolve));
      abort.abort();
    });
    const settings = { server: `127.0.0.1:${port}`, ...PLAIN };
    expect(await fire(hooks.email, settings, DOWN, abort.signal)).toMatchObject({ ok: false });
    expect(closed).toBeDefined();
    await closed;
  });
});

test.each([
  [{ to: 'nobody' }, /expected an address/],
  [{ to: 'a@b, c@d' }, /expected an address/],
  [{ username: 'jo' }, /go together/],
  [{ server: 'mail' }, /port/],
])('%j is refused', (wrong, message) => {
  const result = hooks.email.settings.safeParse({ server: 'mail:587', ...WHO, ...wrong });
  expect(result.error?.issues[0]?.message).toMatch(message);
});
