import type { ProbeContext } from '../../src/core/probe.ts';
import { createGrowingBuffer } from '../wire/growing-buffer.ts';
import { type KeptClient, clientOver, createClients } from '../http2/kept.ts';
import type { Request as Http2Request } from '../http2/sender.ts';
import { type Asking, askOver } from '../wire/reuse.ts';
import type { Answered, Over } from './http1.ts';
import { type Request, lengthOf, split } from './request.ts';
import type { ReaderOptions, Response } from './response.ts';

const keep = createClients();
/** A body of that size does not have to wait for us on its way. */
const WINDOW = 2 ** 20;

/** Sends one request and reads its response, over HTTP/2. */
export async function askHttp2(
  request: Request,
  { owner, origin, reuse, open }: Over,
  reading: Omit<ReaderOptions, 'method'>,
  context: ProbeContext,
): Promise<Answered> {
  const asking: Asking<KeptClient, Response> = {
    keep,
    owner,
    origin,
    reuse,
    // Web servers take their leave of a connection after so many requests, and answer this one.
    open: async (during) =>
      await clientOver(open(during), { window: WINDOW, bearsGoaway: true, keeps: reuse }),
    ask: async ({ client }, during) => await ask(client, request, reading, during),
    reusable: ({ client }) => client.usable,
  };
  const { over, answer } = await askOver(asking, context);
  return { response: answer, connection: over.connection };
}

async function ask(
  client: KeptClient['client'],
  request: Request,
  { maxBody, keepBody }: Omit<ReaderOptions, 'method'>,
  context: ProbeContext,
): Promise<Response> {
  const kept = createGrowingBuffer();
  let received = 0;
  const { status, headers } = await client.exchange(toHttp2(request), context, (piece) => {
    const room = maxBody - received;
    received += piece.length;
    if (keepBody && room > 0) kept.add(piece.subarray(0, room));
    return received <= maxBody;
  });
  return {
    status,
    statusLine: `HTTP/2 ${status}`,
    headers,
    body: kept.bytes(),
    tooLarge: received > maxBody,
  };
}

/** The same request as HTTP/2 has it (RFC 9113 section 8.3.1): names in lower case, the host as `:authority`. */
function toHttp2(request: Request): Http2Request {
  const { method, headers, body = '' } = request;
  const { scheme, authority, path } = split(request.url);
  const fields = [...headers].flatMap(([name, [, value]]) =>
    name === 'host' ? [] : [[name, value.replaceAll(/^[ \t]+|[ \t]+$/g, '')] as const],
  );
  const length = lengthOf(request);
  return {
    method,
    scheme: scheme === 'https://' ? 'https' : 'http',
    authority: headers.get('host')?.[1] ?? authority.toLowerCase(),
    path,
    fields: length === undefined ? fields : [...fields, ['content-length', String(length)]],
    content: Buffer.from(body, 'utf8'),
  };
}
