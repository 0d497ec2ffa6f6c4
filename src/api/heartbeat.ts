import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BeatMessage, BeatReport, BeatVerdict } from '../core/beat.ts';
import { readBody } from './beat-body.ts';
import { HEARTBEAT_PREFIX, HEARTBEAT_ROUTE, bearerOf, fromOf, refuse } from './server.ts';
import type { Tokens } from './tokens.ts';

export interface HeartbeatOptions {
  readonly tokens: Pick<Tokens, 'admits'>;
  readonly take: (name: string, message: BeatMessage) => BeatVerdict;
  readonly onBeat: (report: BeatReport) => void;
}

/** `POST /heartbeat/NAME`. A stranger learns nothing, not even which names there are. */
export function heartbeatRoute({ tokens, take, onBeat }: HeartbeatOptions): (app: FastifyInstance) => void {
  return (app) => {
    app.post(HEARTBEAT_ROUTE, {
      // Before the body is read.
      onRequest(request, reply, done) {
        const name = nameOf(request);
        // Both are asked whatever the other says: an answer that comes sooner tells something, too.
        if (tokens.admits(name ?? '', bearerOf(request) ?? '') && name !== undefined) {
          // A beat is JSON or nothing, whatever curl calls it.
          delete request.headers['content-type'];
          return done();
        }
        onBeat({ result: 'refused', why: 'unauthorized', ...fromOf(request.raw.socket) });
        refuse(reply, 401, 'unauthorized');
      },
      handler(request, reply) {
        const name = nameOf(request)!;
        const told = { target: name, ...fromOf(request.raw.socket) };
        const read = readBody(request.body as Buffer | undefined);
        if (typeof read === 'string') {
          onBeat({ result: 'refused', why: 'malformed', ...told });
          return refuse(reply, 400, read);
        }
        const verdict = take(name, read.message);
        if (verdict === 'unknown') {
          onBeat({ result: 'refused', why: 'unauthorized', ...fromOf(request.raw.socket) });
          return refuse(reply, 401, 'unauthorized');
        }
        if (verdict.taken) {
          onBeat({ result: 'accepted', why: 'new', ...told });
          void reply.send({ accepted: true, ...(read.dropped > 0 && { dropped_fields: read.dropped }) });
        } else {
          onBeat({ result: 'ignored', why: 'sequence', ...told });
          void reply.send({ accepted: false, why: verdict.why });
        }
      },
    });
  };
}

/** What stands behind the prefix, decoded once; undefined where it is no text. */
function nameOf({ originalUrl }: FastifyRequest): string | undefined {
  const path = originalUrl.split('?', 1)[0]!;
  try {
    return decodeURIComponent(path.slice(HEARTBEAT_PREFIX.length));
  } catch {
    return undefined;
  }
}
