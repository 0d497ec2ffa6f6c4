import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { resolve } from 'node:path';
import { LISTEN } from '../config/api.ts';
import { statePath } from '../config/state-dir.ts';
import { formatEndpoint, isLoopback, parseAddress } from '../core/address.ts';
import { plain } from '../core/plain.ts';
import { readToken } from './api-token.ts';
import { UsageError, load } from './args.ts';

/** The running agent cannot be asked, or has refused; the message says why. */
export class AskError extends Error {}

/** A way to the running agent. */
export interface Client {
  /** Throws AskError. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

/** The options of every command that asks the running agent. */
export const API_OPTION = { api: { type: 'string' } } as const;
export const API_HELP = [
  '--api WHERE   a URL, host:port or unix:PATH; else $VITALD_API, else what FILE',
  '              says, else 127.0.0.1:9470. $VITALD_TOKEN has the token, where it is',
  '              neither in FILE nor beside the state',
];

const PATIENCE_MS = 10_000;
/** A status of ten thousand targets has some five. */
const MOST_BYTES = 64 * 2 ** 20;

/** Finds the agent: by what the user says, else by the files that it runs with, else where it usually is. */
export function clientFor(api: string | undefined, files: readonly string[]): Client {
  const { env } = process;
  const said = api ?? env['VITALD_API'];
  if (said !== undefined && said !== '') {
    const place = placeOf(said);
    return createClient(place, () => env['VITALD_TOKEN'] ?? (place.isHere ? kept() : undefined));
  }
  if (files.length === 0) {
    return createClient(placeOf(formatEndpoint(LISTEN)), () => env['VITALD_TOKEN'] ?? kept());
  }
  const { api: written, state } = load(files);
  if (!written.listen) throw new UsageError('api.listen is off in these files: the agent cannot be asked');
  return createClient(
    placeOf(formatEndpoint(written.listen)),
    () => env['VITALD_TOKEN'] ?? written.token ?? (state === null ? undefined : readToken(state)),
  );

  function kept(): string | undefined {
    return readToken(statePath(env));
  }
}

interface Place {
  /** As the user would write it. */
  readonly name: string;
  readonly url: URL;
  readonly socketPath?: string;
  /** Of this host: its agent's token is meant for it. */
  readonly isHere: boolean;
}

function placeOf(written: string): Place {
  const path = /^unix:(.+)$/.exec(written)?.[1];
  if (path !== undefined) {
    return { name: written, url: new URL('http://localhost'), socketPath: resolve(path), isHere: true };
  }
  const isUrl = /^https?:\/\//i.test(written);
  const address = isUrl ? undefined : parseAddress(written);
  if ((isUrl && !URL.canParse(written)) || typeof address === 'string') {
    throw new UsageError(`"${written}" is no URL, no host:port and no unix:PATH`);
  }
  const url = new URL(isUrl ? written : `http://${written}`);
  // An agent that listens on every address of this host.
  if (/^(0\.0\.0\.0|\[::\])$/.test(url.hostname))
    url.hostname = url.hostname === '[::]' ? '[::1]' : '127.0.0.1';
  return { name: written, url, isHere: isLoopback(url.hostname.replaceAll(/[[\]]/g, '')) };
}

function createClient(place: Place, token: () => string | undefined): Client {
  return {
    async ask(method, path, body) {
      // Whoever may be asked without the token does not get to see it.
      const first = method === 'GET' ? undefined : token();
      const answer = await send(place, method, path, body, first);
      const known = answer.status === 401 || answer.status === 403 ? token() : undefined;
      const last =
        known === first || known === undefined ? answer : await send(place, method, path, body, known);
      const hint = last.status === 401 && token() === undefined ? NO_TOKEN : '';
      return contentOf(place, method, last, hint);
    },
  };
}

interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

function send(
  { name, url, socketPath }: Place,
  method: string,
  path: string,
  body: unknown,
  token: string | undefined,
): Promise<RawAnswer> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  return new Promise((done, fail) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
      ...(socketPath === undefined
        ? { host: url.hostname.replaceAll(/[[\]]/g, ''), ...(url.port !== '' && { port: url.port }) }
        : { socketPath }),
      method,
      // As it is: a URL would take the dots out of a target that is called `..`.
      path: url.pathname.replace(/\/$/, '') + path,
      headers: {
        host: url.host,
        connection: 'close',
        'content-length': Buffer.byteLength(sent),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    request.on('error', (error) => fail(new AskError(noAnswer(name, error))));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) request.destroy(new Error('the answer has no end'));
      });
      response.on('error', (error) => fail(new AskError(noAnswer(name, error))));
      response.on('end', () => done({ status: response.statusCode ?? 0, text }));
    });
    request.end(sent);
  });
}

function noAnswer(name: string, error: NodeJS.ErrnoException): string {
  const why =
    error.code === 'ECONNREFUSED' || error.code === 'ENOENT'
      ? 'nobody listens there'
      : error.name === 'AbortError' || error.name === 'TimeoutError'
        ? `it did not answer within ${PATIENCE_MS / 1_000}s`
        : error.message;
  return `no agent could be asked at ${name}: ${why}`;
}

/** Where a token would have been found. */
const NO_TOKEN =
  '; it is in $VITALD_TOKEN, in the FILE that the agent runs with, or beside its state, which its own user can read';

/** What the agent answered; throws where it refused, or where it was not one of ours. */
function contentOf({ name }: Place, method: string, { status, text }: RawAnswer, hint: string): unknown {
  const content = parsed(text);
  // Whatever is read of an agent says when that was.
  if (content === undefined || (status < 300 && method === 'GET' && !Object.hasOwn(content, 'at')))
    throw new AskError(`what answers at ${name} is no agent of ours`);
  if (status < 300) return content;
  const why = typeof content['error'] === 'string' ? plain(content['error']) : `status ${status}`;
  const near = typeof content['near'] === 'string' ? `; did you mean "${plain(content['near'])}"?` : '';
  throw new AskError(status === 401 ? `the agent at ${name} refuses: ${why}${hint}` : why + near);
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
