import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Config } from '../config/load.ts';
import { LISTEN, statePath } from '../config/whereabouts.ts';
import { formatEndpoint } from '../core/address.ts';
import { plain } from '../core/plain.ts';
import { CHALLENGE_PATH, keyOf, proofOf, theirEnd } from '../api/challenge.ts';
import { readToken, tokenFile } from './api-token.ts';
import { UsageError } from './args.ts';
import { type Place, placeOf } from './place.ts';

/** The running agent cannot be asked, or has refused; the message says why. */
export class AskError extends Error {}

/** A way to the running agent. */
export interface Client {
  /** Throws AskError. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
  /** What `make` makes of what was answered. Throws AskError where that is not what an agent answers. */
  read<T>(make: () => T): T;
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

/**
 * Finds the agent: by what the user says, else by the files that it runs with, else where it usually is. What reads files
 * is loaded for them alone, so that asking costs little.
 */
export async function clientFor(api: string | undefined, files: readonly string[]): Promise<Client> {
  const { env } = process;
  const said = api ?? env['VITALD_API'];
  if (said !== undefined && said !== '') {
    const place = placeOf(said);
    return createClient(
      place,
      async () =>
        env['VITALD_TOKEN'] ??
        (files.length === 0 ? undefined : tokenOf(await read(files))) ??
        (place.isHere ? kept() : undefined),
    );
  }
  if (files.length === 0) {
    return createClient(placeOf(formatEndpoint(LISTEN)), () => env['VITALD_TOKEN'] ?? kept());
  }
  const config = await read(files);
  const { listen } = config.api;
  if (!listen) throw new UsageError('api.listen is off in these files: the agent cannot be asked');
  return createClient(placeOf(formatEndpoint(listen)), () => env['VITALD_TOKEN'] ?? tokenOf(config));

  function kept(): string | undefined {
    return keptAt(statePath(env));
  }
}

async function read(files: readonly string[]): Promise<Config> {
  const { load } = await import('./load.ts');
  return load(files);
}

/** The token that an agent with this configuration has. */
function tokenOf({ api, state }: Config): string | undefined {
  return api.token ?? (state === null ? undefined : keptAt(state));
}

function keptAt(state: string): string | undefined {
  const found = readToken(state);
  if (found && 'unfit' in found)
    throw new AskError(
      `${tokenFile(state)} is not used: ${found.unfit}; the agent makes another one when it starts`,
    );
  return found?.token;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

function createClient(place: Place, token: () => string | undefined | Promise<string | undefined>): Client {
  /** Over the very connection that has shown who is at its other end. */
  async function askAsUs(question: Question, known: string): Promise<RawAnswer> {
    const wire = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      await challenge(place, wire, known);
      return await send(place, question, { wire, token: known });
    } finally {
      wire.destroy();
    }
  }

  return {
    async ask(method, path, body) {
      const question = { method, path, body };
      // What may be had without the token is asked without.
      const open = method === 'GET' ? await send(place, question) : undefined;
      if (open && ![401, 403, 503].includes(open.status)) return contentOf(place, method, open);
      const known = await token();
      if (known === undefined)
        return contentOf(place, method, open ?? (await send(place, question)), NO_TOKEN);
      // A certificate says as much.
      return contentOf(
        place,
        method,
        await (place.url.protocol === 'https:'
          ? send(place, question, { token: known })
          : askAsUs(question, known)),
      );
    },
    read(make) {
      try {
        return make();
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        throw new AskError(`what answers at ${place.name} is no agent of ours, or one of another version`, {
          cause: error,
        });
      }
    },
  };
}

/** Throws AskError where who listens does not have the token, which it is not told. */
async function challenge(place: Place, wire: Agent, token: string): Promise<void> {
  const nonce = randomBytes(24).toString('base64url');
  const path = `${CHALLENGE_PATH}?nonce=${nonce}`;
  const { text, peer } = await send(place, { method: 'GET', path }, { wire });
  const proof = Buffer.from(String(parsed(text)?.['proof']));
  const wanted = Buffer.from(proofOf(keyOf(token), nonce, peer));
  if (proof.length === wanted.length && timingSafeEqual(proof, wanted)) return;
  throw new AskError(
    `what answers at ${place.name} does not show that it has the token, so it is not told it: it is no agent of ours, or one with another token, or behind something that translates addresses`,
  );
}

interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** The other end of the connection. */
  readonly peer: string;
}

interface Sending {
  /** A connection that is kept. */
  readonly wire?: Agent;
  readonly token?: string;
}

async function send(
  { name, url, socketPath }: Place,
  { method, path, body }: Question,
  { wire, token }: Sending = {},
): Promise<RawAnswer> {
  const sent = body === undefined ? '' : JSON.stringify(body);
  return await new Promise((done, fail) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
      ...(socketPath === undefined
        ? { host: url.hostname.replaceAll(/[[\]]/g, ''), ...(url.port !== '' && { port: url.port }) }
        : { socketPath }),
      ...(wire && { agent: wire }),
      method,
      // As it is: a URL would take the dots out of a target that is called `..`.
      path: url.pathname.replace(/\/$/, '') + path,
      headers: {
        host: url.host,
        connection: wire ? 'keep-alive' : 'close',
        'content-length': Buffer.byteLength(sent),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    request.on('error', (error) => fail(new AskError(noAnswer(name, error))));
    request.on('response', (response) => {
      let text = '';
      const peer = theirEnd(response.socket);
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) request.destroy(new Error('the answer has no end'));
      });
      response.on('error', (error) => fail(new AskError(noAnswer(name, error))));
      // The connection is free for the next question in the turn after this one.
      response.on('end', () => setImmediate(done, { status: response.statusCode ?? 0, text, peer }));
    });
    // Another connection may lead to somebody else. Nothing has been sent so far.
    if (wire && token !== undefined && !request.reusedSocket)
      request.destroy(new Error('it closed the connection'));
    else request.end(sent);
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
function contentOf({ name }: Place, method: string, { status, text }: RawAnswer, noToken = ''): unknown {
  const content = parsed(text);
  // Whatever is read of an agent says when that was.
  if (content === undefined || (status < 300 && method === 'GET' && !Object.hasOwn(content, 'at')))
    throw new AskError(`what answers at ${name} is no agent of ours`);
  if (status < 300) return content;
  const why = typeof content['error'] === 'string' ? plain(content['error']) : `status ${status}`;
  const near = typeof content['near'] === 'string' ? `; did you mean "${plain(content['near'])}"?` : '';
  const group =
    typeof content['group'] === 'string'
      ? `: vitald status shows it, and pause and resume take it as --group ${plain(content['group'])}`
      : '';
  throw new AskError(
    status === 401 ? `the agent at ${name} refuses: ${why}${noToken}` : why + (group || near),
  );
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
