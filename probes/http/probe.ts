import { type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { formatSize } from '../../src/core/units.ts';
import { VERSION } from '../../src/core/version.ts';
import type { Pattern } from '../../src/schema/pattern.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { type Connection, type Endpoint, dial } from '../dial.ts';
import { type PeerCertificate, forOtherOrigin, withCertificate } from '../tls.ts';
import { ProbeFailure, outcomeOf } from '../reason.ts';
import { type Request, encode, firstRequest, originOf, redirected } from './request.ts';
import { type Response, createResponseReader } from './response.ts';
import { type HttpSettings, keys } from './settings.ts';

export const http: Probe<HttpSettings> = {
  kind: 'http',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),

  host({ url, unix, address }) {
    return unix === undefined ? (address ?? originOf(url)).host : undefined;
  },

  async attempt(settings, context) {
    try {
      const { response, certificate, url } = await follow(settings, context);
      return withCertificate(judgeResponse(response, settings, url), certificate);
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

interface Answer {
  readonly response: Response;
  readonly certificate: PeerCertificate | undefined;
}

async function follow(settings: HttpSettings, context: ProbeContext): Promise<Answer & { url: string }> {
  let request = firstRequest(settings, `vitald/${VERSION}`);
  for (let hops = 0; ; hops++) {
    const answer = await exchange(request, settings, context);
    const { response } = answer;
    const location = response.headers.get('location')?.[0];
    const moved = [301, 302, 303, 307, 308].includes(response.status) && location !== undefined;
    if (!moved || settings.redirects === 0) return { ...answer, url: request.url };
    if (hops === settings.redirects) {
      throw new ProbeFailure('protocol', `more than ${settings.redirects} redirects`);
    }
    request = redirected(request, response.status, location);
  }
}

/** Sends one request over a fresh connection and reads its response. */
async function exchange(request: Request, settings: HttpSettings, context: ProbeContext): Promise<Answer> {
  const origin = originOf(request.url);
  // `unix` and `address` say where the URL's own origin is; another origin is dialled as it is named.
  const own = new URL(request.url).origin === new URL(settings.url).origin;
  const endpoint: Endpoint =
    own && settings.unix !== undefined
      ? { unix: settings.unix }
      : ((own ? settings.address : undefined) ?? origin);
  const tls = settings.tls ?? { insecure: false };
  const connection = await dial(endpoint, context, {
    tls: origin.secure ? { settings: own ? tls : forOtherOrigin(tls), host: origin.host } : undefined,
  });
  try {
    const response = await converse(connection, request, settings, context);
    return { response, certificate: connection.certificate };
  } finally {
    connection.close();
  }
}

function converse(
  { socket, wasReset, wasCut }: Connection,
  request: Request,
  { max_body, expect }: HttpSettings,
  { enter, signal }: ProbeContext,
): Promise<Response> {
  const reader = createResponseReader({
    method: request.method,
    maxBody: max_body,
    keepBody: expect.body !== undefined || expect.body_not !== undefined,
  });
  return new Promise((resolve, reject) => {
    let receiving = false;
    let ended = false;
    function attend(read: () => boolean): void {
      try {
        if (read()) resolve(reader.response);
      } catch (error) {
        reject(error);
      }
    }
    socket.on('data', (chunk: Buffer) => {
      if (!receiving) enter('receive');
      receiving = true;
      attend(() => reader.push(chunk));
    });
    socket.once('end', () => {
      ended = true;
      attend(() => {
        if (wasReset()) throw new ProbeFailure('reset', 'the server reset the connection');
        if (wasCut()) throw new ProbeFailure('closed', 'the server cut TLS off inside its answer');
        reader.end();
        return true;
      });
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (!ended)
        reject(
          signal.aborted ? (signal.reason as Error) : new ProbeFailure('closed', 'the connection was lost'),
        );
    });
    enter('wait');
    socket.write(encode(request));
  });
}

function judgeResponse(
  { status, headers, body, tooLarge }: Response,
  settings: HttpSettings,
  url: string,
): Outcome {
  const { expect } = settings;
  const where = url === settings.url ? '' : ` from ${new URL(url).host}`;
  const facts = { status };
  if (!expect.status.some(({ from, to }) => from <= status && status <= to)) {
    return fail('status', `status ${status}${where}`, facts);
  }
  if ((expect.body || expect.body_not) && tooLarge) {
    return fail('too_large', `the body is larger than ${formatSize(settings.max_body)}`, facts);
  }
  const content = body.toString('utf8');
  const miss = missedRule(expect, headers, content);
  return miss === undefined ? ok(`status ${status}${where}`, facts) : fail('mismatch', miss, facts);
}

/** The first rule that does not hold, in words. */
function missedRule(
  expect: HttpSettings['expect'],
  headers: Response['headers'],
  content: string,
): string | undefined {
  if (expect.body && !expect.body.matches(content)) return `the body does not match ${quoted(expect.body)}`;
  if (expect.body_not?.matches(content)) return `the body matches ${quoted(expect.body_not)}`;
  for (const [name, wanted] of Object.entries(expect.headers)) {
    const values = headers.get(name.toLowerCase());
    if (!values) return `the header ${name} is missing`;
    if (!values.some((value) => wanted.matches(value)))
      return `the header ${name} does not match ${quoted(wanted)}`;
  }
  for (const [name, unwanted] of Object.entries(expect.headers_not)) {
    const values = headers.get(name.toLowerCase()) ?? [];
    if (values.some((value) => unwanted.matches(value)))
      return `the header ${name} matches ${quoted(unwanted)}`;
  }
  return undefined;
}

function quoted({ source }: Pattern): string {
  return `/${source}/`;
}
