import { type Outcome, type Reason, fail, shortage, voided } from '../../src/core/outcome.ts';

/** Error codes of the system and of Node that speak against the target. */
const REASON_OF_CODE: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  ENOTSOCK: 'refused',
  EAGAIN: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EAFNOSUPPORT: 'unreachable',
  ETIMEDOUT: 'connect_timeout',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  EPROTO: 'tls',
};

/** Codes that mean we ourselves have run out of something or may not: they say nothing about the target. */
const SHORTAGES = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOBUFS',
  'ENOMEM',
  'EAI_MEMORY',
]);
const FORBIDDEN = new Set(['EACCES', 'EPERM']);

/** Codes that come in families: OpenSSL's verification results, Node's TLS and HTTP/2 errors. */
const REASON_OF_FAMILY: readonly (readonly [RegExp, Reason])[] = [
  [/^(CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_)/, 'tls'],
  // UNSPECIFIED is Node's word for the results that it does not name, such as a key that is too weak.
  [/^(PATH_LENGTH_EXCEEDED|UNSPECIFIED)$/, 'tls'],
  [/^ERR_(TLS|SSL|OSSL)_/, 'tls'],
  [/^ERR_HTTP2_/, 'protocol'],
];

/** An error with a reason of its own, for what a probe finds out itself. */
export class ProbeFailure extends Error {
  readonly reason: Reason;
  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What says nothing about the target: our files, our limits. */
export class OwnTrouble extends Error {}

/** What an error means. One that is in no table is a bug of ours: it is thrown on, and the runner makes it `void`. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof ProbeFailure) return fail(error.reason, error.message);
  if (!(error instanceof Error)) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  // Node adds our own end, which is none yet: "connect EMFILE 10.0.0.5:80 - Local (undefined:undefined)".
  const message = error.message.replace(/ - Local \(undefined:undefined\)$/, '');
  if (SHORTAGES.has(code)) return shortage(message);
  if (error instanceof OwnTrouble || FORBIDDEN.has(code)) return voided(`our own trouble: ${message}`);
  const reason = REASON_OF_CODE[code] ?? REASON_OF_FAMILY.find(([family]) => family.test(code))?.[1];
  if (reason === undefined) throw error;
  return fail(reason, reason === 'tls' ? tlsMessage(error) : message);
}

/** OpenSSL's own reason, without the coordinates in its source. */
function tlsMessage(error: Error): string {
  const { reason } = error as { reason?: unknown };
  if (reason === 'wrong version number') return 'the server does not speak TLS';
  return typeof reason === 'string' ? reason : error.message.split('\n', 1)[0]!;
}
