import { expect, test } from 'vitest';
import { OwnTrouble, ProbeFailure, outcomeOf } from '../../../probes/wire/reason.ts';
import { classOf } from '../../../src/core/outcome.ts';

function systemError(code: string, rest: object = {}): Error {
  return Object.assign(new Error(`failed: ${code}`), { code, ...rest });
}

test.each([
  ['ECONNREFUSED', 'refused explicit'],
  ['ENOENT', 'refused explicit'],
  ['ENOTSOCK', 'refused explicit'],
  ['EAGAIN', 'refused explicit'],
  ['ECONNRESET', 'reset explicit'],
  ['EPIPE', 'reset explicit'],
  ['ECONNABORTED', 'reset explicit'],
  ['EHOSTUNREACH', 'unreachable path'],
  ['ENETUNREACH', 'unreachable path'],
  ['EHOSTDOWN', 'unreachable path'],
  ['ENETDOWN', 'unreachable path'],
  ['EAFNOSUPPORT', 'unreachable path'],
  ['ETIMEDOUT', 'connect_timeout path'],
  ['ENOTFOUND', 'dns path'],
  ['EAI_AGAIN', 'dns path'],
  ['EAI_FAIL', 'dns path'],
  ['EAI_NODATA', 'dns path'],
  ['EAI_NONAME', 'dns path'],
  ['EPROTO', 'tls explicit'],
  ['CERT_HAS_EXPIRED', 'tls explicit'],
  ['CERT_NOT_YET_VALID', 'tls explicit'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls explicit'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls explicit'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls explicit'],
  ['PATH_LENGTH_EXCEEDED', 'tls explicit'],
  ['INVALID_PURPOSE', 'tls explicit'],
  ['INVALID_CA', 'tls explicit'],
  ['CRL_HAS_EXPIRED', 'tls explicit'],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', 'tls explicit'],
  // What OpenSSL has for a key or a digest that is too weak.
  ['UNSPECIFIED', 'tls explicit'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls explicit'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls explicit'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls explicit'],
  ['ERR_HTTP2_STREAM_ERROR', 'protocol explicit'],
])('%s -> %s', (code, expected) => {
  const outcome = outcomeOf(systemError(code));
  expect(`${outcome.status === 'fail' && outcome.reason} ${classOf(outcome)}`).toBe(expected);
});

test.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENOBUFS', 'ENOMEM', 'EAI_MEMORY'])(
  '%s is our own trouble: we have run short of it',
  (code) => {
    expect(outcomeOf(systemError(code))).toEqual({
      status: 'void',
      message: `our own trouble: failed: ${code}`,
      shortage: true,
    });
  },
);

test.each(['EACCES', 'EPERM'])('%s is our own trouble', (code) => {
  expect(outcomeOf(systemError(code))).toEqual({
    status: 'void',
    message: `our own trouble: failed: ${code}`,
  });
});

test('what a probe finds out keeps its reason, our own trouble is void whatever it wraps', () => {
  expect(outcomeOf(new ProbeFailure('not_serving', 'no'))).toEqual({
    status: 'fail',
    reason: 'not_serving',
    message: 'no',
  });
  expect(outcomeOf(new OwnTrouble('no file'))).toEqual({
    status: 'void',
    message: 'our own trouble: no file',
  });
});

test.each([new TypeError('a bug'), systemError('ERR_INVALID_ARG_TYPE'), 'a text', undefined])(
  'what is in no table is thrown on: %s',
  (error) => expect(() => outcomeOf(error)).toThrow(error),
);

test.each([
  [
    systemError('ERR_SSL_WRONG_VERSION_NUMBER', { reason: 'wrong version number' }),
    'the server does not speak TLS',
  ],
  [systemError('ERR_SSL_X', { reason: 'handshake failure' }), 'handshake failure'],
  [systemError('CERT_HAS_EXPIRED'), 'failed: CERT_HAS_EXPIRED'],
  [Object.assign(new Error('one\ntwo'), { code: 'EPROTO' }), 'one'],
])('a TLS error in words: %s', (error, message) => expect(outcomeOf(error).message).toBe(message));
