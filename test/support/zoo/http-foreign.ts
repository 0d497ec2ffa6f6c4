import { randomFillSync } from 'node:crypto';
import { type OverBoth, explicit } from './behaviour.ts';
import { greets, says } from './http-answers.ts';

const foreign = explicit('protocol', /does not speak HTTP/);

/** What greets or answers in another language. */
const GREETINGS: Readonly<Record<string, string>> = {
  SSH: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n',
  SMTP: '220 mail.internal ESMTP Postfix\r\n',
  FTP: '220 (vsFTPd 3.0.5)\r\n',
  POP3: '+OK Dovecot ready.\r\n',
  IMAP: '* OK [CAPABILITY IMAP4rev1] ready\r\n',
  MySQL: 'J\0\0\0\n8.0.36\0\x08\0\0\0abcdefgh\0',
  VNC: 'RFB 003.008\n',
  Redis: "-ERR unknown command 'GET'\r\n",
  memcached: 'ERROR\r\n',
  AMQP: 'AMQP\0\0\x09\x01',
  PostgreSQL: 'E\0\0\0\x8cSFATAL\0C0A000\0Munsupported frontend protocol\0\0',
  'an alert of TLS': '\x15\x03\x01\x00\x02\x02\x46',
  'a record of TLS': '\x16\x03\x03\x00\x7a\x02\0\0\x76\x03\x03',
  'a SETTINGS frame of HTTP/2': '\0\0\0\x04\0\0\0\0\0',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a request of its own': 'GET / HTTP/1.1\r\nHost: you\r\n\r\n',
  NULs: '\0'.repeat(1_000),
  'a page without a head': '<!doctype html><title>x</title>',
  ICY: 'ICY 200 OK\r\n\r\n',
  'RTSP/1.0': 'RTSP/1.0 200 OK\r\n\r\n',
  SIP: 'SIP/2.0 200 OK\r\n\r\n',
};

export const httpForeign: readonly OverBoth[] = [
  ...Object.entries(GREETINGS).map(([name, text]) => ({
    name: `greets with ${name}`,
    onPeer: greets(text),
    expected: foreign,
  })),
  ...['SSH', 'Redis', 'PostgreSQL', 'an alert of TLS', 'NULs'].map((name) => ({
    name: `answers with ${name}`,
    onPeer: says(GREETINGS[name]!),
    expected: foreign,
  })),
  {
    name: 'answers with noise',
    onPeer: says(`\x80${randomFillSync(Buffer.alloc(4_096)).toString('latin1')}`),
    expected: foreign,
  },
  { name: 'answers with a line feed', onPeer: says('\n'), expected: foreign },
  { name: 'says the first byte of HTTP and something else', onPeer: says('HELLO\r\n'), expected: foreign },
];
