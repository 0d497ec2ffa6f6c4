import type { ProbeContext } from '../../src/core/probe.ts';
import { type Connection, type Endpoint, dial, secure } from '../dial.ts';
import { type PeerCertificate, forOtherOrigin } from '../tls.ts';
import { type Conversation, converse } from './converse.ts';
import { decode } from './decode.ts';
import { dialProxy, tunnel } from './proxy.ts';
import { type Origin, type Request, encode, headLines, originOf } from './request.ts';
import type { Response } from './response.ts';
import { type Over, overKept } from './reuse.ts';
import { readBody, usesBody } from './rules.ts';
import type { HttpSettings } from './settings.ts';
import { describeHead, maskedLines } from './shown.ts';

export interface Exchanged {
  /** Decoded where the settings ask for that. */
  readonly response: Response;
  readonly certificate: PeerCertificate | undefined;
}

/** Sends one request and reads its response, over HTTP/1.1. */
export async function exchange(
  request: Request,
  settings: HttpSettings,
  context: ProbeContext,
): Promise<Exchanged> {
  const { max_body: maxBody, decompress, proxy } = settings;
  const origin = originOf(request.url);
  const keep = settings.connection === 'reuse';
  const lines = headLines(request, { keep, proxy: origin.secure ? undefined : proxy });
  const bytes = encode(lines, request.body);
  const reading = { maxBody, keepBody: decompress || needsBody(settings) };

  async function talk(connection: Connection, during: ProbeContext): Promise<Conversation> {
    context.trace?.({ kind: 'sent', what: 'request', text: maskedLines(lines) });
    return await converse(connection, { method: request.method, bytes }, reading, during);
  }
  const open = async (during: ProbeContext): Promise<Connection> =>
    await connect(request.url, origin, settings, during);

  const { connection, conversation } = keep
    ? await overKept({ owner: settings, origin: new URL(request.url).origin, open, talk }, context)
    : await once(open, talk, context);
  const { response } = conversation;
  context.trace?.({ kind: 'received', what: 'response', text: describeHead(response) });
  return {
    response: decompress ? await decoded(response, maxBody, context) : response,
    certificate: connection.certificate,
  };
}

async function once(
  open: (context: ProbeContext) => Promise<Connection>,
  talk: (connection: Connection, context: ProbeContext) => Promise<Conversation>,
  context: ProbeContext,
): Promise<Over> {
  const connection = await open(context);
  try {
    return { connection, conversation: await talk(connection, context) };
  } finally {
    connection.close();
  }
}

async function connect(
  url: string,
  origin: Origin,
  settings: HttpSettings,
  context: ProbeContext,
): Promise<Connection> {
  const family = settings.family === 'any' ? 0 : settings.family;
  // `unix`, `address`, and what is in `tls` are for the URL's own origin; another one is dialled as it is named.
  const own = new URL(url).origin === new URL(settings.url).origin;
  const written = settings.tls ?? { insecure: false };
  const tls = origin.secure
    ? { settings: own ? written : forOtherOrigin(written), host: origin.host }
    : undefined;
  const { proxy } = settings;
  if (proxy) {
    if (!tls) return await dialProxy(proxy, family, context);
    return await secure(await tunnel(proxy, origin, family, context), tls, context);
  }
  const endpoint: Endpoint =
    own && settings.unix !== undefined
      ? { unix: settings.unix }
      : ((own ? settings.address : undefined) ?? origin);
  return await dial(endpoint, context, { family, tls });
}

function needsBody({ expect, warn, facts }: HttpSettings): boolean {
  return readBody(expect) || readBody(warn) || Object.values(facts).some(usesBody);
}

async function decoded(response: Response, limit: number, { trace }: ProbeContext): Promise<Response> {
  const codings = response.headers.get('content-encoding');
  if (!codings || response.tooLarge) return response;
  const body = await decode(response.body, codings, limit);
  const size = body ? `${body.length}B` : 'too large';
  trace?.({ kind: 'note', text: `the body: ${response.body.length}B as sent, ${size} decoded` });
  return body ? { ...response, body } : { ...response, body: Buffer.alloc(0), tooLarge: true };
}
