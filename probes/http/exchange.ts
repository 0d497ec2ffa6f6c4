import type { ProbeContext } from '../../src/core/probe.ts';
import { type Connection, type Endpoint, dial, secure } from '../wire/dial.ts';
import { type PeerCertificate, forOtherOrigin } from '../wire/tls.ts';
import { decode } from './decode.ts';
import { dialProxy, tunnel } from './proxy.ts';
import { type Over, askHttp1 } from './http1.ts';
import { askHttp2 } from './http2.ts';
import { type Origin, type Request, originOf } from './request.ts';
import type { Response } from './response.ts';
import { readBody, usesBody } from './rules.ts';
import type { HttpSettings } from './settings.ts';

export interface Exchanged {
  /** Decoded where the settings ask for that. */
  readonly response: Response;
  readonly certificate: PeerCertificate | undefined;
}

/** Sends one request and reads its response. */
export async function exchange(
  request: Request,
  settings: HttpSettings,
  context: ProbeContext,
): Promise<Exchanged> {
  const { max_body: maxBody, decompress, version } = settings;
  const origin = originOf(request.url);
  const over: Over = {
    owner: settings,
    origin: new URL(request.url).origin,
    reuse: settings.connection === 'reuse',
    open: async (during) => await connect(request.url, origin, settings, during),
  };
  const reading = { maxBody, keepBody: decompress || needsBody(settings) };
  const { response, connection } =
    version === '2'
      ? await askHttp2(request, over, reading, context)
      : await askHttp1(request, over, origin.secure ? undefined : settings.proxy, reading, context);
  return {
    response: decompress ? await decoded(response, maxBody, context) : response,
    certificate: connection.certificate,
  };
}

async function connect(
  url: string,
  origin: Origin,
  settings: HttpSettings,
  context: ProbeContext,
): Promise<Connection> {
  const family = settings.family === 'any' ? 0 : settings.family;
  // `unix`, `address`, and what is in `tls` are for the URL's own origin; another one is dialled as it is named.
  const own = url === settings.url || new URL(url).origin === new URL(settings.url).origin;
  const written = settings.tls ?? { insecure: false };
  const tls = origin.secure
    ? {
        settings: own ? written : forOtherOrigin(written),
        host: origin.host,
        ...(settings.version === '2' && { alpn: ['h2'] }),
      }
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
