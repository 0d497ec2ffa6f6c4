import { explicit, good } from './behaviour.ts';
import type { Certificates } from './certificates.ts';
import { EXPECT, type TlsRow, says } from './tls-row.ts';

/** What the server shows, and what it wants to see. */
export const tlsShown: readonly TlsRow[] = [
  { name: 'is fine', expected: good('answer', /TLS is up/) },
  { name: 'has expired', options: ({ expired }) => expired, expected: explicit('tls', /has expired/) },
  {
    name: 'is not yet valid',
    options: ({ notYetValid }) => notYetValid,
    expected: explicit('tls', /not yet valid/),
  },
  {
    name: 'is for another name',
    options: ({ wrongName }) => wrongName,
    expected: explicit('tls', /127\.0\.0\.1 is not in/),
  },
  {
    name: 'is for another name, which is asked for',
    options: ({ wrongName }) => wrongName,
    tls: () => ({ server_name: 'other.internal' }),
    expected: good(),
  },
  {
    name: 'has only a common name, as of old',
    options: ({ noNames }) => noNames,
    tls: () => ({ server_name: 'other.internal' }),
    expected: good(),
  },
  {
    name: 'is self-signed',
    options: ({ selfSigned }) => selfSigned,
    expected: explicit('tls', /self.signed/),
  },
  {
    name: 'is self-signed, and trusted as such',
    options: ({ selfSigned }) => selfSigned,
    tls: ({ selfSigned }) => ({ ca: selfSigned.certFile }),
    expected: explicit('tls', /127\.0\.0\.1/),
  },
  {
    name: 'is of an unknown authority',
    options: ({ unknownCa }) => unknownCa,
    expected: explicit('tls', /unable to/),
  },
  {
    name: 'is of an unknown authority, and nobody looks',
    options: ({ unknownCa }) => unknownCa,
    tls: () => ({ insecure: true }),
    expected: good(),
  },
  {
    name: 'has a key that is too weak',
    options: ({ weak }) => ({ ...weak, ciphers: 'ALL:@SECLEVEL=0' }),
    expected: explicit('tls'),
  },
  {
    name: 'will expire soon, says a warning',
    tls: () => ({ cert_expiry: { warn: '72h' } }),
    expected: { status: 'warn', by: 'answer', message: /1 days left/ },
  },
  {
    name: 'will expire too soon',
    tls: () => ({ cert_expiry: { warn: '96h', fail: '72h' } }),
    expected: explicit('tls', /1 days left/),
  },
  {
    name: 'speaks TLS 1.1 at most',
    options: ({ good }) => ({
      ...good,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    }),
    expected: explicit('tls'),
  },
  {
    name: 'speaks TLS 1.1 at most, which is asked for',
    options: ({ good }) => ({
      ...good,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    }),
    tls: () => ({ min_version: 'TLSv1' }),
    expected: good(),
  },
  {
    name: 'speaks TLS 1.2 at most',
    options: ({ good }) => ({ ...good, maxVersion: 'TLSv1.2' }),
    expected: good(),
  },
  {
    name: 'speaks TLS 1.2 at most, where 1.3 is asked for',
    options: ({ good }) => ({ ...good, maxVersion: 'TLSv1.2' }),
    tls: () => ({ min_version: 'TLSv1.3' }),
    expected: explicit('tls'),
  },
  {
    name: 'speaks TLS 1.3 at least, where 1.2 is asked for',
    options: ({ good }) => ({ ...good, minVersion: 'TLSv1.3' }),
    tls: () => ({ max_version: 'TLSv1.2' }),
    expected: explicit('tls'),
  },
  {
    name: 'has no cipher in common',
    options: ({ good }) => ({ ...good, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    expected: explicit('tls'),
  },
  {
    name: 'has no cipher of TLS 1.3 in common',
    options: ({ good }) => ({ ...good, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' }),
    expected: explicit('tls'),
  },
  {
    name: 'chooses of ALPN',
    options: ({ good }) => ({ ...good, ALPNProtocols: ['h2', 'http/1.1'] }),
    tls: () => ({ alpn: ['x', 'http/1.1'] }),
    expected: good(),
  },
  {
    name: 'refuses what ALPN offers',
    options: ({ good }) => ({ ...good, ALPNProtocols: ['h2'] }),
    tls: () => ({ alpn: ['imap'] }),
    expected: explicit('tls'),
  },
  { name: 'ignores ALPN', tls: () => ({ alpn: ['imap', 'pop3'] }), expected: explicit('tls', /imap, pop3/) },
  {
    name: 'knows no such server name',
    options: ({ good }) => ({ ...good, SNICallback: (_name, done) => done(new Error('unknown')) }),
    tls: () => ({ server_name: 'nobody.internal' }),
    expected: explicit('closed'),
  },
];

const CLIENT = ({ client }: Certificates): object => ({ cert: client.certFile, key: client.keyFile });
const FOREIGN = ({ selfSigned }: Certificates): object => ({
  cert: selfSigned.certFile,
  key: selfSigned.keyFile,
});

function wantsClient(
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
  rejectUnauthorized = true,
): NonNullable<TlsRow['options']> {
  return ({ good, ca }) => ({
    ...good,
    ca: ca.cert,
    requestCert: true,
    rejectUnauthorized,
    minVersion: maxVersion,
    maxVersion,
  });
}

/** Client certificates: wanted, refused, and refused late. */
export const tlsClients: readonly TlsRow[] = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) => [
  {
    name: `wants a client certificate, and gets it (${version})`,
    options: wantsClient(version),
    tls: CLIENT,
    expected: good(),
  },
  {
    name: `wants a client certificate, and gets none (${version})`,
    options: wantsClient(version),
    expected: explicit('tls'),
  },
  {
    name: `wants a client certificate, and gets none, and an answer is expected (${version})`,
    options: wantsClient(version),
    onPeer: says('PONG'),
    settings: EXPECT,
    expected: explicit('tls'),
  },
  {
    name: `wants a client certificate, and does not insist (${version})`,
    options: wantsClient(version, false),
    expected: good(),
  },
  {
    name: `refuses a foreign client certificate late (${version})`,
    options: wantsClient(version),
    tls: FOREIGN,
    expected: explicit('closed'),
  },
  {
    name: `refuses a foreign client certificate late, and an answer is expected (${version})`,
    options: wantsClient(version),
    tls: FOREIGN,
    settings: EXPECT,
    expected: explicit('closed'),
  },
]);
