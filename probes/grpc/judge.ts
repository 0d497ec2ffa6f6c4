import { type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Answer } from '../http2/answer-reader.ts';
import type { Fields } from '../http2/fields.ts';
import { decodeResponse } from './message.ts';

/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** HealthCheckResponse.ServingStatus, https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const SERVING_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

const MAX_MESSAGE = 200;

export function judgeAnswer({ status, headers, trailers, headOnly }: Answer, data: Buffer): Outcome {
  if (status !== 200) return fail('protocol', `HTTP status ${status} instead of a gRPC answer`);
  const contentType = headers.get('content-type')?.[0] ?? 'none';
  if (!/^application\/grpc(?:[+;]|$)/i.test(contentType)) {
    return fail('protocol', `content-type ${printed(contentType)} is not gRPC`);
  }
  const ending = headOnly ? headers : trailers;
  const code = statusCode(ending);
  if (code === undefined) return fail('protocol', 'the answer has no grpc-status');
  if (code !== 0) return fail('status', statusMessage(code, ending.get('grpc-message')?.[0]));
  const serving = decodeResponse(data);
  if (serving === undefined) return fail('protocol', 'the answer is not one HealthCheckResponse');
  const name = SERVING_NAMES[serving] ?? `status ${serving}`;
  return serving === 1 ? ok(name) : fail('not_serving', name);
}

/** One status, even where it is said twice. */
function statusCode(ending: Fields): number | undefined {
  const codes = new Set(ending.get('grpc-status'));
  const [code] = codes;
  return codes.size === 1 && /^\d{1,9}$/.test(code!) ? Number(code) : undefined;
}

function statusMessage(code: number, encoded: string | undefined): string {
  const name = STATUS_NAMES[code] ?? `code ${code}`;
  return encoded === undefined || encoded === '' ? name : `${name}: ${printed(decoded(encoded))}`;
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Bounded, and without what would drive a terminal. */
function printed(text: string): string {
  const short = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
  return short.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
