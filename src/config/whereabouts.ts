import { isAbsolute, join } from 'node:path';

/** Where an agent is asked whose file does not say: for beats and for the API alike. */
export const LISTEN = { host: '127.0.0.1', port: 9_470 } as const;

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
