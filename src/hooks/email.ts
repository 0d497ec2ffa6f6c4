import { readFileSync } from 'node:fs';
import type * as nodemailer from 'nodemailer';
import { z } from 'zod';
import type { Hook, HookEvent, HookResult } from '../core/hook.ts';
import { plain } from '../core/plain.ts';
import { readableFile } from '../schema/file.ts';
import { address, oneOrMore, text } from '../schema/scalars.ts';
import { wording } from './wording.ts';

/** The port on which TLS comes first (RFC 8314). */
const TLS_PORT = 465;

const mailbox = text().refine(
  (written) => /^[^@\s<>,]+@[^@\s<>,]+$|^[^<>,]*<[^@\s<>,]+@[^@\s<>,]+>$/.test(written),
  'expected an address such as ops@example.com, or Ops <ops@example.com>',
);

const keys = z
  .strictObject({
    server: address().describe('the SMTP server, with its port: 587 as a rule, 465 for TLS from the start'),
    security: z
      .enum(['starttls', 'tls', 'none'], { error: 'expected starttls, tls or none' })
      .optional()
      .meta({ otherwise: '`tls` on port 465, else `starttls`' })
      .describe('how the connection is kept private; `starttls` refuses a server that has none'),
    ca: readableFile().optional().describe('trust these certificates (PEM), and no others'),
    username: text().optional().describe('with `password`, where the server wants a login'),
    password: text().optional().describe('of that user'),
    from: mailbox.describe('the sender'),
    to: oneOrMore(mailbox).describe('who gets it'),
  })
  .superRefine(({ username, password }, context) => {
    if ((username === undefined) === (password === undefined)) return;
    context.addIssue({ code: 'custom', message: 'username and password go together' });
  });

type EmailSettings = z.infer<typeof keys>;

/** The runner owns the timeout: it aborts. */
const NEVER_MS = 2 ** 30;

/** It is large, and most agents send no mail. */
function load(): Promise<typeof nodemailer> {
  return import('nodemailer');
}

/** A text mail. What is told of one incident is one conversation. */
export const email: Hook<EmailSettings> = {
  kind: 'email',
  settings: keys,
  load,
  defaults: { timeoutMs: 30_000, retries: null, groupingMs: 5_000 },

  async fire(settings, event, { signal }) {
    const { createTransport } = await load();
    const transport = createTransport(transportOptions(settings));
    try {
      const { rejected, response } = await transport.sendMail({ ...mailOf(event, settings), signal });
      const refused = rejected.length === 0 ? '' : `; refused: ${rejected.join(', ')}`;
      return { ok: true, detail: `${plain(response)}${refused}`, retry: false };
    } catch (error) {
      return failure(error as Error & { responseCode?: number });
    } finally {
      transport.close();
    }
  },
};

function transportOptions({ server, security, ca, username, password }: EmailSettings) {
  const chosen = security ?? (server.port === TLS_PORT ? 'tls' : 'starttls');
  return {
    host: server.host,
    port: server.port,
    secure: chosen === 'tls',
    requireTLS: chosen === 'starttls',
    ignoreTLS: chosen === 'none',
    ...(username !== undefined && { auth: { user: username, pass: password! } }),
    ...(ca !== undefined && { tls: { ca: readFileSync(ca) } }),
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: NEVER_MS,
    greetingTimeout: NEVER_MS,
    socketTimeout: NEVER_MS,
    dnsTimeout: NEVER_MS,
  };
}

function mailOf(event: HookEvent, { from, to }: EmailSettings) {
  const { tone, title, lines } = wording(event);
  const domain = /@([^@\s<>]+)>?$/.exec(from)![1]!;
  const messageId = (id: string): string => `<${encodeURIComponent(id)}@${domain}>`;
  return {
    from,
    to,
    subject: title,
    text: `${lines.join('\n')}\n`,
    priority: tone === 'bad' ? ('high' as const) : ('normal' as const),
    // The same on each try: a server or reader that has had it already drops the second one.
    messageId: messageId(event.id),
    ...(event.incident !== null && {
      references: messageId(event.incident),
      inReplyTo: messageId(event.incident),
    }),
    // RFC 3834: nobody's holiday answers this.
    headers: { 'auto-submitted': 'auto-generated' },
  };
}

/** A reply of 400 to 499 may be mended by waiting (RFC 5321, 4.2.1), and so may a connection that failed. */
function failure({ message, responseCode }: Error & { responseCode?: number }): HookResult {
  return { ok: false, detail: plain(message), retry: responseCode === undefined || responseCode < 500 };
}
