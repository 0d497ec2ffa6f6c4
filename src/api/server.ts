import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../core/address.ts';
import type { BeatReport } from '../core/beat.ts';
import { boundConnections } from './connections.ts';
import { listenAt } from './listen.ts';

/** Whole requests, from the first byte to the last, ms; and their heads alone. */
const REQUEST_MS = 10_000;
const HEAD_MS = 5_000;
/** Between two requests of one connection, ms. */
const KEPT_MS = 5_000;
/** Without a byte in either direction, ms: of those who do not read our answers. */
const STUCK_MS = 15_000;
const LOOK_EVERY_MS = 1_000;
const MAX_HEAD = 8 * 1_024;
const MAX_BODY = 16 * 1_024;
const MAX_REQUESTS_PER_CONNECTION = 1_000;
const MAX_CONNECTIONS = 1_024;
/** A name has up to 200 characters, each of which takes up to nine in a path: `%E2%98%83`. */
const MAX_PARAM = 1_800;

/** `POST /heartbeat/NAME`, and what it is routed as. */
export const HEARTBEAT_PREFIX = '/heartbeat/';
export const HEARTBEAT_ROUTE = '/heartbeat';

export interface ApiServer {
  /** Lets go of the port and of every connection. */
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly listen: Endpoint;
  /** Adds what is served. */
  readonly routes: (app: FastifyInstance) => void;
  readonly onRefused: (report: BeatReport) => void;
  /** Told of an error of the socket that listens. */
  readonly onTrouble: (error: Error) => void;
  readonly limits?: { readonly requestMs?: number; readonly connections?: number };
}

/**
 * HTTP for those who may know us. Whatever is sent, a request takes bounded time and memory, and refusals are the same for
 * everyone. fastify is loaded by the first server: an agent that listens to nobody does without it.
 */
export async function startServer({
  listen,
  routes,
  onRefused,
  onTrouble,
  limits = {},
}: ApiOptions): Promise<ApiServer> {
  const { fastify } = await import('fastify');
  /** Connections whose end has been counted: one may be told by both the parser and the body. */
  const counted = new WeakSet<Socket>();
  function broken(socket: Socket, why: string): void {
    if (counted.has(socket)) return;
    counted.add(socket);
    onRefused({ result: 'refused', why, ...fromOf(socket) });
  }
  function notFound(request: FastifyRequest, reply: FastifyReply): void {
    onRefused({ result: 'refused', why: 'not_found', ...fromOf(request.raw.socket) });
    refuse(reply, 404, 'not found');
  }
  const requestMs = limits.requestMs ?? REQUEST_MS;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: MAX_BODY,
    routerOptions: { maxParamLength: MAX_PARAM },
    requestTimeout: requestMs,
    connectionTimeout: STUCK_MS,
    keepAliveTimeout: KEPT_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_CONNECTION,
    http: {
      maxHeaderSize: MAX_HEAD,
      // Node's own refusal has no words.
      requireHostHeader: false,
      headersTimeout: Math.min(HEAD_MS, requestMs),
      connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, requestMs),
    },
    // A name is taken from the path as it came: nothing decodes or normalises it on the way.
    rewriteUrl: ({ url = '/' }) => (url.startsWith(HEARTBEAT_PREFIX) ? HEARTBEAT_ROUTE : url),
    frameworkErrors: (_error, request, reply) => notFound(request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler(error, socket) {
      if (error.code !== 'ECONNRESET') broken(socket, WHY_OF_CODE[error.code] ?? 'malformed');
      if (socket.writable) {
        const said = JSON.stringify({ error: WORDS_OF_CODE[error.code] ?? 'this is no HTTP' });
        socket.write(
          `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${said.length}\r\n\r\n${said}`,
        );
      }
      socket.destroySoon();
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.sendDate = false;
    // RFC 9112, 3.2.
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      broken(request.raw.socket, 'malformed');
      refuse(reply, 400, 'a request needs a Host header');
    } else if (request.is404) notFound(request, reply);
    else done();
  });
  const bound = boundConnections(app.server, limits.connections ?? MAX_CONNECTIONS, (socket) =>
    broken(socket, 'crowded'),
  );
  // Who gets as far as this was not refused by a route's onRequest: its token is right.
  app.addHook('preParsing', (request, reply, payload, done) => {
    reply.raw.once('close', bound.hold(request.raw.socket));
    done(null, payload);
  });
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) onTrouble(error);
    broken(request.raw.socket, status === 413 ? 'too_large' : 'malformed');
    refuse(
      reply,
      status,
      WORDS_OF_STATUS[status] ?? (status < 500 ? 'this cannot be read' : 'our own trouble'),
    );
  });
  routes(app);
  await app.ready();
  try {
    await listenAt(app.server, listen);
  } catch (error) {
    await app.close();
    throw error;
  }
  app.server.on('error', onTrouble);
  return {
    async close() {
      app.server.closeAllConnections();
      // Which also takes the socket's file away.
      await app.close();
    },
  };
}

/** The connection goes with it: nobody's body is read, and no second guess comes over the same connection. */
export function refuse(reply: FastifyReply, status: number, error: string): void {
  void reply.code(status).header('connection', 'close').send({ error });
}

export function fromOf({ remoteAddress }: Socket): Pick<BeatReport, 'from'> {
  // IPv4 over a socket that takes both.
  return remoteAddress === undefined ? {} : { from: remoteAddress.replace(/^::ffff:(?=\d+\.)/, '') };
}

/** The token of the Authorization header: empty where there is none in it, undefined without the header. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  if (headers.authorization === undefined) return undefined;
  return /^bearer +(\S+) *$/i.exec(headers.authorization)?.[1] ?? '';
}

const WORDS_OF_STATUS: Readonly<Record<number, string>> = { 413: `a body has at most ${MAX_BODY} bytes` };

const WHY_OF_CODE: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'slow',
  HPE_HEADER_OVERFLOW: 'too_large',
};

const WORDS_OF_CODE: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'the request took too long to come',
  HPE_HEADER_OVERFLOW: `the head of a request has at most ${MAX_HEAD} bytes`,
};
