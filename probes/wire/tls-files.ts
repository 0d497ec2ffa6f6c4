import { readFileSync, statSync } from 'node:fs';
import { type SecureContextOptions, createSecureContext } from 'node:tls';

/** Paths of PEM files, and the passphrase of `key`. */
interface Files {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
}

/** Another one where a file has changed. */
export function versionOf({ ca, cert, key }: Files): string {
  return [ca, cert, key].map((file) => (file === undefined ? '' : statSync(file).mtimeMs)).join();
}

/** Throws where a file is not what it should be: OpenSSL takes any file for a list of authorities, which may be empty. */
export function contentsOf({ ca, cert, key, passphrase }: Files): SecureContextOptions {
  const authorities = ca === undefined ? undefined : readFileSync(ca, 'latin1');
  if (authorities !== undefined) checkCertificates(ca!, authorities);
  return {
    ...(authorities !== undefined && { ca: authorities }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

const BEGIN = /^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/gm;
const CERTIFICATE = /^-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/gm;

function checkCertificates(file: string, pem: string): void {
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error(`${file} holds no certificate (PEM)`);
  if (certificates.length < pem.match(BEGIN)!.length) throw new Error(`${file} is cut off in a certificate`);
}

/** Files that were looked at, as they were then, and what was wrong with them: many targets have the same ones. */
const lookedAt = new Map<string, string | undefined>();
const MOST_LOOKED_AT = 1_000;

/** What is wrong with the files, so that it is said at load; undefined where nothing is. */
export function problemOf(files: Files): string | undefined {
  if (files.ca === undefined && (files.cert === undefined || files.key === undefined)) return undefined;
  try {
    const known = JSON.stringify([files, versionOf(files)]);
    if (!lookedAt.has(known)) {
      if (lookedAt.size >= MOST_LOOKED_AT) lookedAt.clear();
      lookedAt.set(known, contentProblem(files));
    }
    return lookedAt.get(known);
  } catch (error) {
    return reasonIn(error);
  }
}

function contentProblem(files: Files): string | undefined {
  try {
    createSecureContext(contentsOf(files));
    return undefined;
  } catch (error) {
    return reasonIn(error);
  }
}

/** OpenSSL's own words, without its numbers. */
export function reasonIn(error: unknown): string {
  const { reason, message } = error as Error & { reason?: string };
  return reason ?? message;
}
