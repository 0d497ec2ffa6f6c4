import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  connect,
  constants,
} from 'node:http2';
import { z } from 'zod';
import { formatAddress } from '../src/core/address.ts';
import { type Outcome, fail, ok } from '../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../src/core/probe.ts';
import { VERSION } from '../src/core/version.ts';
import { address, text, textMap, withShortForm } from '../src/schema/scalars.ts';
import { type Connection, dial } from './dial.ts';
import { decodeResponse, encodeRequest } from './grpc-message.ts';
import { ProbeFailure, outcomeOf } from './reason.ts';
import { tlsChoice, withCertificate } from './tls.ts';

const PATH = '/grpc.health.v1.Health/Check';
/** A HealthCheckResponse is two bytes; this leaves room for fields of the future. */
const MAX_ANSWER = 64 * 1024;

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

/** Fields of HTTP/2's and gRPC's own, and those of HTTP/1 that HTTP/2 forbids. */
const PROTOCOL_FIELDS = new Set([
  'te',
  'content-type',
  'content-length',
  'host',
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const metadata = textMap()
  .superRefine((entries, context) => {
    for (const [name, value] of Object.entries(entries)) {
      const problem = !/^[0-9a-z_.-]+$/.test(name)
        ? `"${name}" is not a metadata key (lower case letters, digits, _ . -)`
        : name.startsWith('grpc-') || PROTOCOL_FIELDS.has(name)
          ? `${name} belongs to the protocol and cannot be set`
          : name.endsWith('-bin')
            ? /^[A-Za-z0-9+/]*={0,2}$/.test(value)
              ? undefined
              : `${name} must be base64`
            : /^[\u0020-\u007e]*$/.test(value)
              ? undefined
              : `the value of ${name} must be printable ASCII`;
      if (problem) context.addIssue({ code: 'custom', message: problem, path: [name] });
    }
  })
  .default({});

const keys = z.strictObject({
  address: address(),
  service: text().default(''),
  authority: text()
    .refine((name) => /^[\u0021-\u007e]+$/.test(name), 'an authority is a host, with or without a port')
    .optional(),
  metadata,
  tls: tlsChoice(),
});

type GrpcSettings = z.infer<typeof keys>;

/** grpc.health.v1.Health/Check over a fresh connection: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const grpc: Probe<GrpcSettings> = {
  kind: 'grpc',
  settings: withShortForm(['scalar'], (address) => ({ address }), keys),
  host: (settings) => settings.address.host,

  async attempt(settings, context) {
    try {
      const {
        address: { host },
        tls,
      } = settings;
      const connection = await dial(settings.address, context, {
        tls: tls && { settings: tls, host, alpn: ['h2'] },
      });
      try {
        return withCertificate(
          judgeAnswer(await call(connection, settings, context)),
          connection.certificate,
        );
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** Of the end of the stream; the head itself where the answer has nothing else. */
  readonly trailers: IncomingHttpHeaders;
  readonly data: Buffer;
}

async function call(connection: Connection, settings: GrpcSettings, context: ProbeContext): Promise<Answer> {
  const { enter, deadline, clock } = context;
  enter('wait');
  const session = connect(`${settings.tls ? 'https' : 'http'}://${formatAddress(settings.address)}`, {
    createConnection: () => connection.socket,
    settings: { enablePush: false },
  });
  try {
    return await new Promise((resolve, reject) => {
      const failed = attendSession(session, reject);
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: PATH,
        [constants.HTTP2_HEADER_AUTHORITY]: settings.authority ?? formatAddress(settings.address),
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': timeoutField(deadline - clock.now()),
        'user-agent': `vitald/${VERSION}`,
        ...settings.metadata,
      });
      readAnswer(stream, { resolve, reject: failed }, enter);
      // On a half open socket the session does not see the peer's end; a stream that is closed has its answer.
      connection.socket.once('end', () => {
        const how = connection.wasReset() ? 'reset' : 'closed';
        if (!stream.closed)
          failed(new ProbeFailure(how, `the server ${how} the connection without an answer`));
      });
      stream.end(encodeRequest(settings.service));
    });
  } finally {
    session.destroy();
  }
}

/** At most eight digits, so the longest timeouts go out in seconds. */
function timeoutField(ms: number): string {
  const whole = Math.max(1, Math.ceil(ms));
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1_000)}S`;
}

/** Tells of everything that ends the session; returns what to call for an error of its stream. */
function attendSession(session: ClientHttp2Session, reject: (error: Error) => void): (error: Error) => void {
  let speaksHttp2 = false;
  function failed(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    const foreign = code === 'ERR_HTTP2_ERROR' && !speaksHttp2;
    reject(foreign ? new ProbeFailure('protocol', 'the server does not speak HTTP/2') : error);
  }
  session.once('remoteSettings', () => {
    speaksHttp2 = true;
  });
  session.on('error', failed);
  session.once('goaway', (code: number) => {
    failed(new ProbeFailure('protocol', `the server sent GOAWAY (code ${code}) before the answer`));
  });
  session.once('close', () => {
    failed(new ProbeFailure('closed', 'the server closed the connection without an answer'));
  });
  return failed;
}

function readAnswer(
  stream: ClientHttp2Stream,
  { resolve, reject }: { resolve: (answer: Answer) => void; reject: (error: Error) => void },
  enter: ProbeContext['enter'],
): void {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  let size = 0;
  stream.once('response', (received, flags) => {
    headers = received;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) trailers = received;
    enter('receive');
  });
  stream.once('trailers', (received) => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER)
      reject(new ProbeFailure('protocol', 'the answer is larger than a health answer can be'));
  });
  stream.once('error', reject);
  stream.once('close', () => {
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) {
      reject(new ProbeFailure('protocol', `the server reset the stream (code ${stream.rstCode})`));
    } else resolve({ headers, trailers, data: Buffer.concat(chunks) });
  });
}

function judgeAnswer({ headers, trailers, data }: Answer): Outcome {
  const httpStatus = Number(headers[':status']);
  if (Number.isNaN(httpStatus)) return fail('closed', 'the stream ended without an answer');
  if (httpStatus !== 200) return fail('protocol', `HTTP status ${httpStatus} instead of a gRPC answer`);
  const contentType = headers['content-type'] ?? 'none';
  if (!/^application\/grpc(?:[+;]|$)/.test(contentType))
    return fail('protocol', `content-type ${contentType} is not gRPC`);
  const code = trailers['grpc-status'];
  if (code === undefined || !/^\d+$/.test(String(code)))
    return fail('protocol', 'the answer has no grpc-status');
  if (Number(code) !== 0) return fail('status', statusMessage(Number(code), trailers['grpc-message']));
  const serving = decodeResponse(data);
  if (serving === undefined) return fail('protocol', 'the answer is not one HealthCheckResponse');
  const name = SERVING_NAMES[serving] ?? `status ${serving}`;
  return serving === 1 ? ok(name) : fail('not_serving', name);
}

function statusMessage(code: number, encoded: string | string[] | undefined): string {
  const name = STATUS_NAMES[code] ?? `code ${code}`;
  if (encoded === undefined) return name;
  const text = String(encoded).slice(0, 200);
  try {
    return `${name}: ${decodeURIComponent(text)}`;
  } catch {
    return `${name}: ${text}`;
  }
}
