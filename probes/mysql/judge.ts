import { type Facts, type Outcome, fail } from '../../src/core/outcome.ts';
import type { ServerError } from './packets.ts';

/** ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN. */
const NOT_SERVING = new Set([1053, 1077]);

/**
 * Refusals of a login: denied, of a database, an unknown database or plugin, without TLS, of an account that is locked or
 * has expired. A server that says so serves.
 */
const ABOUT_US = new Set([1044, 1045, 1049, 1251, 1275, 1524, 1698, 1862, 3118, 3159, 4151]);

export function isAboutUs({ number }: ServerError): boolean {
  return ABOUT_US.has(number);
}

export function judgeError({ number, message }: ServerError, facts?: Facts): Outcome {
  const shown = message.slice(0, 300).replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
  return fail(NOT_SERVING.has(number) ? 'not_serving' : 'status', `${shown} (${number})`, facts);
}
