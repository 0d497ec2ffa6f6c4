import { createHash, createHmac } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { refuse } from './server.ts';

/** `GET /api/v1/challenge?nonce=...`: who has the token shows that, without showing the token. */
export const CHALLENGE_PATH = '/api/v1/challenge';

/** The answer to it. */
export interface ChallengeAnswer {
  readonly proof: string;
}

/** HMAC-SHA-256 under the SHA-256 of the token, which is all that an agent keeps of it; base64url. */
export function proofOf(token: Buffer, nonce: string, address: string): string {
  return createHmac('sha256', token).update(`vitald\n${nonce}\n${address}`).digest('base64url');
}

/** Keys are of one length, whatever was sent. */
export function keyOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * The address of the agent's end of a connection, as both ends see it. It is part of the proof: else whoever listens could
 * hand the question on to the agent itself, and its answer back. Over a unix socket, which only the agent's user can open,
 * that is all there is to say.
 */
export function ourEnd({ localAddress, localPort }: Socket): string {
  return endOf(localAddress, localPort);
}
export function theirEnd({ remoteAddress, remotePort }: Socket): string {
  return endOf(remoteAddress, remotePort);
}
function endOf(address: string | undefined, port: number | undefined): string {
  return address === undefined ? 'unix' : `${address.replace(/^::ffff:(?=\d+\.)/, '')} ${port}`;
}

/** Open to anybody: a proof is worth nothing at another address, and tells nothing of a token that is random. */
export function challengeRoute(
  prove: (nonce: string, address: string) => string | undefined,
): (app: FastifyInstance) => void {
  return (app) => {
    app.get(CHALLENGE_PATH, (request, reply) => {
      const { nonce } = request.query as Readonly<Record<string, unknown>>;
      if (typeof nonce !== 'string' || !/^[\w-]{16,64}$/.test(nonce))
        return refuse(reply, 400, 'nonce: 16 to 64 letters, digits, - and _');
      const proof = prove(nonce, ourEnd(request.raw.socket));
      if (proof === undefined) return refuse(reply, 404, 'this agent has no token');
      void reply.header('cache-control', 'no-store').send({ proof } satisfies ChallengeAnswer);
    });
  };
}
