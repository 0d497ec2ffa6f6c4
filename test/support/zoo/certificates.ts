import { type Certificate, createAuthority } from '../certs.ts';

export interface Certificates {
  /** Who issued all that is to be trusted. */
  readonly ca: Certificate;
  /** For 127.0.0.1 and localhost. */
  readonly good: Certificate;
  readonly expired: Certificate;
  readonly notYetValid: Certificate;
  readonly wrongName: Certificate;
  /** For other.internal by its common name alone. */
  readonly noNames: Certificate;
  /** With an RSA key of 512 bits. */
  readonly weak: Certificate;
  /** Issued by an authority that nobody knows. */
  readonly unknownCa: Certificate;
  readonly selfSigned: Certificate;
  /** A client's, of the same authority. */
  readonly client: Certificate;
}

/** All of them, made in a directory that `remove` deletes. Takes openssl. */
export function makeCertificates(): { certificates: Certificates; remove: () => void } {
  const ca = createAuthority();
  const stranger = createAuthority();
  const here = 'DNS:localhost,IP:127.0.0.1';
  return {
    certificates: {
      ca,
      good: ca.issue('good', here),
      expired: ca.issue('expired', here, -3),
      notYetValid: ca.issue('not-yet', here, 2, 1),
      wrongName: ca.issue('other', 'DNS:other.internal'),
      noNames: ca.issue('other.internal', 'email:nobody@other.internal'),
      weak: ca.issue('weak', here, 2, -9, ['-newkey', 'rsa:512']),
      unknownCa: stranger.issue('unknown', here),
      selfSigned: stranger,
      client: ca.issue('client', 'DNS:client'),
    },
    remove() {
      ca.remove();
      stranger.remove();
    },
  };
}
