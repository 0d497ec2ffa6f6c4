import { type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Trace } from '../../src/core/trace.ts';
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

export function judgeAnswer(answer: Answer, data: Buffer, trace?: Trace): Outcome {
  const { status, headers, trailers, headOnly } = answer;
  const tell = (rule: string, value: string, passed: boolean): boolean => {
    trace?.({ kind: 'rule', rule, value, passed });
    return passed;
  };
  const contentType = printed(headers.get('content-type')?.[0] ?? 'none');
  const ending = headOnly ? headers : trailers;
  const code = statusCode(ending);
  const serving = decodeResponse(data);
  const name = serving === undefined ? 'none' : (SERVING_NAMES[serving] ?? `status ${serving}`);

  const isHttp = tell('HTTP status 200', String(status), status === 200);
  const isGrpc = tell(
    'a content-type of gRPC',
    contentType,
    /^application\/grpc(?:[+;]|$)/i.test(contentType),
  );
  const succeeded = tell('grpc-status 0', code === undefined ? 'none' : codeName(code), code === 0);
  const serves = tell('SERVING', name, serving === 1);

  if (!isHttp) return fail('protocol', `HTTP status ${status} instead of a gRPC answer`);
  if (!isGrpc) return fail('protocol', `content-type ${contentType} is not gRPC`);
  if (code === undefined) return fail('protocol', 'the answer has no grpc-status');
  if (!succeeded) return fail('status', statusMessage(code, ending.get('grpc-message')?.[0]));
  if (serving === undefined) return fail('protocol', 'the answer is not one HealthCheckResponse');
  return serves ? ok(name) : fail('not_serving', name);
}

/** One status, even where it is said twice. */
function statusCode(ending: Fields): number | undefined {
  const codes = new Set(ending.get('grpc-status'));
  const [code] = codes;
  return codes.size === 1 && /^\d{1,9}$/.test(code!) ? Number(code) : undefined;
}

function codeName(code: number): string {
  return STATUS_NAMES[code] ?? `code ${code}`;
}

function statusMessage(code: number, encoded: string | undefined): string {
  const name = codeName(code);
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
