import { ProbeFailure } from '../wire/reason.ts';

/** What RFC 9113 does not allow: an error of the stream or of the connection alike, since there is one stream. */
export function violation(what: string): ProbeFailure {
  return new ProbeFailure('protocol', `the server sent ${what}`);
}

/** RFC 7541: a header block that cannot be decoded. */
export function malformedBlock(what: string): ProbeFailure {
  return new ProbeFailure('protocol', `the server sent headers that cannot be decoded: ${what}`);
}
