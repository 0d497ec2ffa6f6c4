import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../core/address.ts';
import type { BeatReport } from '../core/beat.ts';
import { suggest } from '../core/suggest.ts';
import { denialOf } from './access.ts';
import { bearerOf, fromOf, refuse } from './server.ts';

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

/** How a wall clock time, ms, goes out: ISO 8601, UTC. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

export interface ServeOptions {
  readonly routes: readonly Route[];
  readonly listen: Endpoint;
  readonly admits: (token: string) => boolean;
  readonly onRefused: (report: BeatReport) => void;
}

/** Serves the routes to those who may ask. */
export function serveRoutes({
  routes,
  listen,
  admits,
  onRefused,
}: ServeOptions): (app: FastifyInstance) => void {
  function guard(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const presented = bearerOf(request);
    const denial = denialOf({
      changes: request.method !== 'GET',
      host: request.headers.host,
      admitted: presented === undefined ? null : admits(presented),
      listen,
    });
    if (!denial) return done();
    onRefused({ result: 'refused', why: 'unauthorized', ...fromOf(request.raw.socket) });
    refuse(reply, denial.status, denial.error);
  }
  return (app) => {
    for (const { method, path, open, answer } of routes) {
      app.route({
        method,
        url: path,
        ...(!open && { onRequest: guard }),
        async handler(request, reply) {
          const { status, body, headers } = await answered(answer, request);
          return reply
            .code(status)
            .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers })
            .send(body);
        },
      });
    }
  };
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
