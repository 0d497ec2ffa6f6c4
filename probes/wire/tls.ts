import {
  type Certificate,
  type ConnectionOptions,
  type DetailedPeerCertificate,
  type SecureContext,
  type SecureVersion,
  type TLSSocket,
  createSecureContext,
} from 'node:tls';
import { z } from 'zod';
import { isIP } from 'node:net';
import { type Facts, type Outcome, fail, warn, withFacts } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { CertificateEntry } from '../../src/core/trace.ts';
import { OwnTrouble } from './reason.ts';
import { contentsOf, problemOf, reasonIn, versionOf } from './tls-files.ts';
import { readableFile } from '../../src/schema/file.ts';
import { alsoTakes, duration, flag, oneOrMore, text } from '../../src/schema/scalars.ts';

export interface TlsSettings {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly server_name?: string | undefined;
  readonly insecure: boolean;
  readonly min_version?: SecureVersion | undefined;
  readonly max_version?: SecureVersion | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly cert_expiry?: CertificateExpiry | undefined;
}

/** How much of its life a certificate must have left, ms. */
interface CertificateExpiry {
  readonly warn?: number | undefined;
  readonly fail?: number | undefined;
}

/** From the weakest on. */
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const satisfies SecureVersion[];
const DEFAULT_MIN_VERSION = 'TLSv1.2';
const YEARS_MS = 100 * 365 * 86_400_000;

const keys = z
  .strictObject({
    ca: readableFile().optional().describe('trust these certificates (PEM), and no others'),
    cert: readableFile().optional().describe('our own certificate (PEM); goes with `key`'),
    key: readableFile().optional().describe('its private key (PEM)'),
    passphrase: text().optional().describe('of `key`'),
    server_name: text()
      .optional()
      .describe(
        'the name that is sent (SNI) and that the certificate must be for; else the host that is asked',
      ),
    insecure: flag().default(false).describe('accept any certificate'),
    min_version: z.enum(VERSIONS).default(DEFAULT_MIN_VERSION).describe('the oldest TLS that is spoken'),
    max_version: z.enum(VERSIONS).optional().describe('the newest TLS that is spoken'),
    alpn: oneOrMore(text().refine((name) => name.length > 0 && name.length < 256, 'a protocol has a name'))
      .optional()
      .describe('protocols to offer; the server must choose one of them'),
    cert_expiry: z
      .strictObject({
        warn: duration({ max: YEARS_MS }).optional().describe('`warn` where the certificate has less left'),
        fail: duration({ max: YEARS_MS }).optional().describe('`fail` where the certificate has less left'),
      })
      .refine(({ warn, fail }) => warn === undefined || fail === undefined || warn > fail, {
        error: 'it fails before it can warn: warn has to be longer than fail',
        path: ['warn'],
      })
      .optional()
      .describe('how long the certificate must be good for yet'),
  })
  .superRefine(({ ca, cert, key, passphrase, min_version, max_version }, context) => {
    if ((cert === undefined) !== (key === undefined)) {
      context.addIssue({ code: 'custom', message: 'cert and key go together' });
    }
    if (max_version && VERSIONS.indexOf(max_version) < VERSIONS.indexOf(min_version)) {
      const message = `max_version ${max_version} is older than min_version ${min_version}`;
      context.addIssue({ code: 'custom', message, path: ['max_version'] });
    }
    const problem = problemOf({ ca, cert, key, passphrase });
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem, path: [ca === undefined ? 'cert' : 'ca'] });
    }
  });

/** The `tls:` mapping. */
export function tlsKeys(): z.ZodType<TlsSettings> {
  return keys.meta({ as: 'mapping, see [tls](tls.md)' });
}

/** The same where the URL says whether there is TLS: `tls: true` takes it with the defaults, as saying nothing does. */
export function tlsOfUrl(): z.ZodType<TlsSettings> {
  const trueToo = z.preprocess((raw) => (raw === true ? {} : raw), keys);
  return alsoTakes(['flag'], trueToo).meta({ as: 'true, or [a mapping](tls.md)' });
}

/** `tls: true` means TLS with the defaults; false and absence mean none. */
export function tlsChoice(): z.ZodType<TlsSettings | undefined> {
  return alsoTakes(
    ['flag'],
    z.preprocess((raw) => (raw === true ? {} : raw === false ? undefined : raw), keys.optional()),
  ).meta({ as: 'true, false, or [a mapping](tls.md)', otherwise: '`false`' });
}

interface Loaded {
  readonly version: string;
  readonly context: SecureContext;
}

/** Made once for each `tls:` mapping, and anew when one of its files has changed: certificates rotate. */
const loaded = new WeakMap<TlsSettings, Loaded>();

/**
 * Options for tls.connect: verification on, names checked against `server_name`, else the host that was asked for.
 * Throws OwnTrouble where a file cannot be read or is not what it should be.
 */
export function connectionOptions(
  tls: TlsSettings,
  host: string,
  alpn: readonly string[] | undefined,
): ConnectionOptions {
  const name = tls.server_name ?? host;
  const protocols = tls.alpn ?? alpn;
  return {
    ...(protocols && { ALPNProtocols: [...protocols] }),
    secureContext: secureContext(tls),
    // RFC 6066 section 3: an address is never sent as a server name.
    ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    rejectUnauthorized: !tls.insecure,
  };
}

function secureContext(tls: TlsSettings): SecureContext {
  try {
    const version = versionOf(tls);
    const known = loaded.get(tls);
    if (known?.version === version) return known.context;
    const context = createSecureContext({
      ...contentsOf(tls),
      minVersion: tls.min_version ?? DEFAULT_MIN_VERSION,
      // What TLS before 1.2 signs with, OpenSSL calls insecure at every level but the lowest.
      ...(isOld(tls.min_version) && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
      ...(tls.max_version && { maxVersion: tls.max_version }),
    });
    loaded.set(tls, { version, context });
    return context;
  } catch (error) {
    throw new OwnTrouble(`the files of tls cannot be used: ${reasonIn(error)}`);
  }
}

const isOld = (version: SecureVersion | undefined): boolean => version === 'TLSv1' || version === 'TLSv1.1';

/** The same for another origin than the one it was written for: neither the name nor our own certificate goes there. */
export function forOtherOrigin(tls: TlsSettings): TlsSettings {
  const { ca, insecure, min_version, max_version, cert_expiry } = tls;
  return { ca, insecure, min_version, max_version, cert_expiry };
}

/** What the peer's certificate says of itself, and what its age adds to an outcome. */
export interface PeerCertificate {
  readonly facts: Facts;
  /** Ms until it expires. */
  readonly leftMs: number;
  readonly expiry: CertificateExpiry | undefined;
}

/** The certificate of a socket that is through its handshake; undefined where the peer showed none. */
export function readCertificate(
  socket: TLSSocket,
  { cert_expiry: expiry }: TlsSettings,
  { clock, trace }: Pick<ProbeContext, 'clock' | 'trace'>,
): PeerCertificate | undefined {
  const now = clock.wallTime();
  const certificate = socket.getPeerCertificate();
  // Without a certificate Node gives an empty object.
  if (!certificate?.valid_to) return undefined;
  const { subject, issuer, names, daysLeft } = entryOf(certificate, now);
  const leftMs = Date.parse(certificate.valid_to) - now;
  for (const limit of trace && expiry ? (['warn', 'fail'] as const) : []) {
    const least = expiry![limit];
    if (least === undefined) continue;
    const rule = `tls.cert_expiry.${limit}`;
    const value = `${daysLeft} days left`;
    trace!({ kind: 'rule', rule, passed: leftMs >= least, value, ...(limit === 'warn' && { warns: true }) });
  }
  return {
    facts: {
      tls_version: socket.getProtocol() ?? 'unknown',
      tls_subject: subject,
      tls_issuer: issuer,
      tls_names: names,
      tls_days_left: daysLeft,
    },
    leftMs,
    expiry,
  };
}

/** Tells of the peer's whole chain. */
export function traceChain(socket: TLSSocket, { clock, trace }: Pick<ProbeContext, 'clock' | 'trace'>): void {
  const leaf = socket.getPeerCertificate(true);
  if (leaf?.valid_to) trace?.({ kind: 'certificates', chain: chainOf(leaf, clock.wallTime()) });
}

/** The outcome with the certificate's facts; an expiry that is near turns a good one into `warn` or `fail`. */
export function withCertificate(outcome: Outcome, certificate: PeerCertificate | undefined): Outcome {
  if (!certificate) return outcome;
  return withFacts(judgeExpiry(outcome, certificate), certificate.facts);
}

function judgeExpiry(outcome: Outcome, { leftMs, expiry, facts }: PeerCertificate): Outcome {
  if (!expiry || (outcome.status !== 'ok' && outcome.status !== 'warn')) return outcome;
  const message = `the certificate has ${String(facts['tls_days_left'])} days left`;
  if (expiry.fail !== undefined && leftMs < expiry.fail) return fail('tls', message, outcome.facts);
  if (expiry.warn === undefined || leftMs >= expiry.warn || outcome.status === 'warn') return outcome;
  return warn(message, outcome.facts);
}

function entryOf(
  { subject, issuer, subjectaltname, valid_to }: PlainCertificate,
  now: number,
): CertificateEntry {
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: subjectaltname ?? '',
    daysLeft: Math.floor((Date.parse(valid_to) - now) / 86_400_000),
  };
}

type PlainCertificate = Pick<DetailedPeerCertificate, 'subject' | 'issuer' | 'subjectaltname' | 'valid_to'>;

/** A root is its own issuer. */
function chainOf(leaf: DetailedPeerCertificate, now: number): CertificateEntry[] {
  const chain: CertificateEntry[] = [];
  const seen = new Set<DetailedPeerCertificate>();
  for (let at: DetailedPeerCertificate | undefined = leaf; at && !seen.has(at); at = at.issuerCertificate) {
    seen.add(at);
    chain.push(entryOf(at, now));
  }
  return chain;
}

function nameOf({ CN, O }: Certificate): string {
  return [CN ?? O ?? ''].flat().join(', ');
}
