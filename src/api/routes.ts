import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../core/address.ts';
import type { BeatReport } from '../core/beat.ts';
import { suggest } from '../core/suggest.ts';
import { denialOf } from './access.ts';
import { bearerOf, fromOf, refuse } from './server.ts';
import { type Ready, createThrift } from './thrift.ts';

/** One way to ask the agent. What is no GET changes something: it needs the token. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/api/v1/targets/:name` */
  readonly path: string;
  /** Says nothing of the targets, so that anybody may ask. */
  readonly open?: true;
  answer(question: Question): Answer | Promise<Answer>;
}

export interface Question {
  /** What stands in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | string[]>>;
  /** The JSON that was sent; undefined where nothing was. */
  readonly body: unknown;
  /** What the asker has already. */
  readonly ifNoneMatch?: string | undefined;
}

/** A body goes out as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function fine(body: unknown): Answer {
  return { status: 200, body };
}

/** Somebody asked for what there is not, or wrongly; `more` are fields beside the message. */
export function refused(status: number, error: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  return { status, body: { error, ...more } };
}

/** Nothing is called so; `near` is what may have been meant. */
export function unknownName(what: string, name: string, known: readonly string[]): Answer {
  const near = suggest(name, known);
  return refused(404, `there is no ${what} "${name}"`, near === undefined ? {} : { near });
}

/** The same of a target; `group` where a group is called so. */
export function unknownTarget(
  name: string,
  targets: readonly { readonly name: string; readonly group?: string | undefined }[],
): Answer {
  if (targets.some(({ group }) => group === name))
    return refused(404, `there is no target "${name}", but a group`, { group: name });
  return unknownName(
    'target',
    name,
    targets.map((target) => target.name),
  );
}

/** How a wall clock time, ms, goes out: ISO 8601, UTC. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

export interface ServeOptions {
  readonly routes: readonly Route[];
  readonly listen: Endpoint;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly admits: (token: string) => boolean;
  readonly onRefused: (report: BeatReport) => void;
}

/** Serves the routes to those who may ask. Those with the token get as many answers as they ask for. */
export function serveRoutes({
  routes,
  listen,
  now,
  admits,
  onRefused,
}: ServeOptions): (app: FastifyInstance) => void {
  const thrift = createThrift(now);

  function guard(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const { host, origin, 'sec-fetch-site': site } = request.headers;
    const presented = bearerOf(request);
    const denial = denialOf({
      changes: request.method !== 'GET',
      host,
      page: { origin, site },
      admitted: presented === undefined ? null : admits(presented),
      listen,
    });
    if (!denial) return done();
    onRefused({ result: 'refused', why: 'unauthorized', ...fromOf(request.raw.socket) });
    refuse(reply, denial.status, denial.error);
  }

  async function spared({ answer }: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const ready = thrift.answer(`${request.headers['if-none-match'] ?? ''} ${request.url}`, () =>
      answered(answer, request),
    );
    if (typeof ready === 'number') {
      onRefused({ result: 'refused', why: 'busy', ...fromOf(request.raw.socket) });
      void reply.header('retry-after', Math.ceil(ready / 1_000));
      return refuse(reply, 503, 'too much is asked at once; with the token it is answered');
    }
    const known = await ready;
    const from = now();
    send(reply, known);
    thrift.charge(from);
  }

  return (app) => {
    for (const route of routes) {
      const { method, path, open, answer } = route;
      app.route({
        method,
        url: path,
        ...(!open && { onRequest: guard }),
        async handler(request, reply) {
          if (method === 'GET' && !open && bearerOf(request) === undefined) {
            await spared(route, request, reply);
            return reply;
          }
          const result = await answered(answer, request);
          if (method !== 'GET') thrift.forget();
          return send(reply, result);
        },
      });
    }
  };
}

function send(reply: FastifyReply, { status, headers, body }: Ready | Answer): FastifyReply {
  return reply
    .code(status)
    .headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(Buffer.isBuffer(body) && { 'content-type': 'application/json; charset=utf-8' }),
      ...headers,
    })
    .send(body);
}

async function answered(
  answer: Route['answer'],
  { params, query, body, headers }: FastifyRequest,
): Promise<Answer> {
  const written = (body as Buffer | undefined)?.toString('utf8') ?? '';
  let data: unknown;
  try {
    data = written.trim() === '' ? undefined : JSON.parse(written);
  } catch {
    return refused(400, 'the body is no JSON');
  }
  return await answer({
    params: params as Question['params'],
    query: query as Question['query'],
    body: data,
    ifNoneMatch: headers['if-none-match'],
  });
}
