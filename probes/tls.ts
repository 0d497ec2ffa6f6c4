import { readFileSync, statSync } from 'node:fs';
import {
  type Certificate,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
  createSecureContext,
} from 'node:tls';
import { z } from 'zod';
import { isIP } from 'node:net';
import type { Facts } from '../src/core/outcome.ts';
import { OwnTrouble } from './reason.ts';
import { readableFile } from '../src/schema/file.ts';
import { alsoTakes, flag, text } from '../src/schema/scalars.ts';

export interface TlsSettings {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly server_name?: string | undefined;
  readonly insecure: boolean;
}

const keys = z
  .strictObject({
    ca: readableFile().optional(),
    cert: readableFile().optional(),
    key: readableFile().optional(),
    passphrase: text().optional(),
    server_name: text().optional(),
    insecure: flag().default(false),
  })
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return;
    context.addIssue({ code: 'custom', message: 'cert and key go together' });
  });

/** The `tls:` mapping. */
export function tlsKeys(): z.ZodType<TlsSettings> {
  return keys;
}

/** `tls: true` means TLS with the defaults; false and absence mean none. */
export function tlsChoice(): z.ZodType<TlsSettings | undefined> {
  return alsoTakes(
    ['flag'],
    z.preprocess((raw) => (raw === true ? {} : raw === false ? undefined : raw), keys.optional()),
  );
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
export function connectionOptions(tls: TlsSettings, host: string): ConnectionOptions {
  const name = tls.server_name ?? host;
  return {
    secureContext: secureContext(tls),
    // RFC 6066 section 3: an address is never sent as a server name.
    ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    rejectUnauthorized: !tls.insecure,
  };
}

function secureContext(tls: TlsSettings): SecureContext {
  const files = [tls.ca, tls.cert, tls.key];
  try {
    const version = files.map((file) => (file === undefined ? '' : statSync(file).mtimeMs)).join();
    const known = loaded.get(tls);
    if (known?.version === version) return known.context;
    const [ca, cert, key] = files.map((file) => (file === undefined ? undefined : readFileSync(file)));
    const context = createSecureContext({
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(tls.passphrase !== undefined && { passphrase: tls.passphrase }),
      minVersion: 'TLSv1.2',
    });
    loaded.set(tls, { version, context });
    return context;
  } catch (error) {
    throw new OwnTrouble(`the files of tls cannot be used: ${(error as Error).message}`);
  }
}

/** The same for another origin than the one it was written for: neither the name nor our own certificate goes there. */
export function forOtherOrigin({ ca, insecure }: TlsSettings): TlsSettings {
  return { ca, insecure };
}

/** What the peer's certificate says of itself. */
export function certificateFacts(socket: TLSSocket, wallTime: number): Facts {
  const certificate = socket.getPeerCertificate();
  // Without a certificate Node gives an empty object.
  if (!certificate?.valid_to) return {};
  const days = (Date.parse(certificate.valid_to) - wallTime) / 86_400_000;
  return {
    tls_version: socket.getProtocol() ?? 'unknown',
    tls_subject: nameOf(certificate.subject),
    tls_issuer: nameOf(certificate.issuer),
    tls_names: certificate.subjectaltname ?? '',
    tls_days_left: Math.floor(days),
  };
}

function nameOf({ CN, O }: Certificate): string {
  return [CN ?? O ?? ''].flat().join(', ');
}
