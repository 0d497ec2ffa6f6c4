import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { type Keepable, createKeep } from '../wire/keep.ts';
import { type Asking, askOver } from '../wire/reuse.ts';
import { type Conversation, converse } from './converse.ts';
import { type Request, type Sending, encode, headLines } from './request.ts';
import type { ReaderOptions, Response } from './response.ts';
import { describeHead, maskedLines } from './shown.ts';

const keep = createKeep<Keepable>();

/** The connection that a request goes over. */
export interface Over {
  readonly owner: object;
  readonly origin: string;
  /** Whether it is kept between attempts. */
  readonly reuse: boolean;
  open(context: ProbeContext): Promise<Connection>;
}

export interface Answered {
  readonly response: Response;
  readonly connection: Connection;
}

/** Sends one request and reads its response, over HTTP/1.1. */
export async function askHttp1(
  request: Request,
  { owner, origin, reuse, open }: Over,
  proxy: Sending['proxy'],
  reading: Omit<ReaderOptions, 'method'>,
  context: ProbeContext,
): Promise<Answered> {
  const { trace } = context;
  const lines = headLines(request, { keep: reuse, proxy });
  const message = { method: request.method, bytes: encode(lines, request.body) };
  const asking: Asking<Keepable, Conversation> = {
    keep,
    owner,
    origin,
    reuse,
    open: async (during) => ({ connection: await open(during) }),
    async ask({ connection }, during) {
      trace?.({ kind: 'sent', what: 'request', text: maskedLines(lines) });
      return await converse(connection, message, reading, during);
    },
    reusable: (_, { reusable }) => reusable,
    // A server that has waited long enough says so, which may cross with our request (RFC 9110 section 15.5.9).
    isFarewell: ({ response }) => response.status === 408,
  };
  const { over, answer } = await askOver(asking, context);
  trace?.({ kind: 'received', what: 'response', text: describeHead(answer.response) });
  return { response: answer.response, connection: over.connection };
}
