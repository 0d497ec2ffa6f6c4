import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { directoryProblem, resolvePath } from '../schema/file.ts';
import { expected } from '../schema/scalars.ts';

/**
 * The file in which the agent keeps what outlives it, unless the file says otherwise: as the XDG Base Directory Specification has it,
 * and in `/var/lib` for a service without a home. A relative XDG_STATE_HOME is to be ignored, says the specification.
 */
export function statePath(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_STATE_HOME: state, HOME: home } = env;
  const directory =
    state !== undefined && isAbsolute(state)
      ? join(state, 'vitald')
      : home !== undefined && isAbsolute(home)
        ? join(home, '.local/state/vitald')
        : '/var/lib/vitald';
  return join(directory, 'vitald.db');
}

/** The database's file; null for `off`. */
export const stateSchema = z
  .string({ error: expected('a path, or off') })
  .min(1, 'a path must not be empty')
  .transform((path) => (path === 'off' ? null : resolvePath(path)))
  .superRefine((path, context) => {
    if (path === null || directoryProblem(path) !== undefined) return;
    context.addIssue({ code: 'custom', message: `${path} is a directory; name a file in it` });
  })
  .meta({ as: 'path, or `off`' })
  .optional();
