import { type Facts, type Outcome, fail } from '../../src/core/outcome.ts';
import type { ServerError } from './messages.ts';

/** SQLSTATEs of a server that is there, and not in service: starting, stopping, recovering from a crash. */
const NOT_SERVING = new Set(['57P01', '57P02', '57P03']);

export function judgeError({ code, message }: ServerError, facts?: Facts): Outcome {
  const shown = message.slice(0, 300).replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
  return fail(NOT_SERVING.has(code) ? 'not_serving' : 'status', `${shown} (${code || 'no code'})`, facts);
}

/** A refused login, or a database that there is not, comes from a server that serves. */
export function isAboutUs({ code }: ServerError): boolean {
  return code.startsWith('28') || code === '3D000';
}

/** What the server told of itself while it let us in. */
export function factsOf(parameters: ReadonlyMap<string, string>): Facts {
  const version = parameters.get('server_version');
  const standby = parameters.get('in_hot_standby');
  return {
    ...(version !== undefined && { version: version.slice(0, 100) }),
    ...(standby !== undefined && { in_recovery: standby === 'on' }),
  };
}
