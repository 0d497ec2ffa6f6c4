import { z } from 'zod';
import { type Endpoint, isLoopback, parseAddress } from '../core/address.ts';
import { resolvePath } from '../schema/file.ts';
import { expected } from '../schema/scalars.ts';
import { token } from '../schema/token.ts';
import type { Problem } from './problem.ts';
import { type Sourced, validate } from './validate.ts';
import { LISTEN } from './whereabouts.ts';

/** How the running agent can be asked. */
export interface ApiConfig {
  /** Null where it cannot. */
  readonly listen: Endpoint | null;
  /** Somebody wrote it down. The default may be taken by another agent of this host: that is no mistake. */
  readonly isWritten: boolean;
  /** Undefined where the agent makes one itself. */
  readonly token: string | undefined;
}

/** Null where nobody listens. */
const apiListen = z
  .string({ error: expected('an address (host:port), unix:PATH or off') })
  .transform((written, context): Endpoint | null => {
    if (written === 'off') return null;
    const path = /^unix:(.*)$/.exec(written)?.[1];
    const endpoint = path === undefined ? parseAddress(written) : socketAt(path);
    if (typeof endpoint !== 'string') return endpoint;
    context.addIssue({ code: 'custom', message: endpoint });
    return z.NEVER;
  })
  .meta({ as: 'address, `unix:PATH` or `off`' });

/** What the system takes as the path of a socket, in bytes, its end included. */
const LONGEST_SOCKET_PATH = 108;

function socketAt(written: string): Endpoint | string {
  if (written === '') return 'a path must not be empty';
  const socket = resolvePath(written);
  return Buffer.byteLength(socket) < LONGEST_SOCKET_PATH
    ? { socket }
    : `${socket} is too long: a socket's path has less than ${LONGEST_SOCKET_PATH} bytes`;
}

export const apiSchema = z.strictObject({
  listen: apiListen
    .optional()
    .meta({ otherwise: `\`${LISTEN.host}:${LISTEN.port}\`` })
    .describe('where the running agent can be asked; `unix:PATH` relative to the file'),
  token: token
    .optional()
    .meta({ otherwise: 'made at the first start' })
    .describe('what changes something needs it, as `authorization: Bearer TOKEN`; 16 characters or more'),
});

export function apiConfig(written: Sourced | undefined, problems: Problem[]): ApiConfig {
  const { listen, token } = (written && validate(apiSchema, written, problems)) ?? {};
  if (listen && !('socket' in listen) && !isLoopback(listen.host) && token === undefined) {
    problems.push({
      place: written!.source.locate(['api', 'listen']),
      message: `others than this host can reach ${listen.host}: set api.token, or listen on loopback`,
    });
  }
  return { listen: listen === undefined ? LISTEN : listen, isWritten: listen !== undefined, token };
}
