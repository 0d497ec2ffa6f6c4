import { z } from 'zod';
import { type HostPort, formatAddress } from '../../src/core/address.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { expected, httpUrl } from '../../src/schema/scalars.ts';
import { type Connection, dial } from '../wire/dial.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import type { Family } from '../wire/resolve.ts';
import { converse } from './converse.ts';
import { describeHead, maskedLines } from './shown.ts';

/** A proxy that is spoken to in plain HTTP/1.1. */
export interface Proxy extends HostPort {
  /** The value of `proxy-authorization`. */
  readonly authorization: string | undefined;
}

/** `http://[user:password@]host[:port]` */
export function proxyUrl(): z.ZodType<Proxy, string> {
  return z
    .string({ error: expected('a URL') })
    .transform((written, context): Proxy => {
      const [, scheme = '', credentials, rest = ''] =
        /^(https?:\/\/)(?:([^/?#]*)@)?(.*)$/i.exec(written) ?? [];
      const plain = httpUrl().safeParse(`${scheme}${rest}`);
      const problem = !plain.success
        ? plain.error.issues[0]!.message
        : scheme.toLowerCase() === 'https://'
          ? 'the proxy itself is spoken to in plain: write http://'
          : !/^[^/?#]*\/?$/.test(rest)
            ? 'a proxy has a host and a port, and no path'
            : credentialsProblem(credentials);
      if (problem !== undefined) {
        context.addIssue({ code: 'custom', message: problem });
        return z.NEVER;
      }
      const { hostname, port } = new URL(`${scheme}${rest}`);
      return {
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: port === '' ? 80 : Number(port),
        authorization: credentials === undefined ? undefined : basic(credentials),
      };
    })
    .meta({ as: 'URL' });
}

function credentialsProblem(credentials: string | undefined): string | undefined {
  if (credentials === undefined || credentials.includes(':')) return canDecode(credentials);
  return 'the credentials of a proxy are user:password';
}

function canDecode(text = ''): string | undefined {
  try {
    decodeURIComponent(text);
    return undefined;
  } catch {
    return 'the credentials of the proxy are not well escaped (write %25 for %)';
  }
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(decodeURIComponent(credentials), 'utf8').toString('base64')}`;
}

/** A connection to the proxy. That it is not there speaks of the way to the target, not of the target. */
export async function dialProxy(proxy: Proxy, family: Family, context: ProbeContext): Promise<Connection> {
  try {
    return await dial(proxy, context, { family });
  } catch (error) {
    throw onTheWay(proxy, error, context);
  }
}

/** A connection to the origin through a tunnel (RFC 9110 section 9.3.6). */
export async function tunnel(
  proxy: Proxy,
  origin: HostPort,
  family: Family,
  context: ProbeContext,
): Promise<Connection> {
  const connection = await dialProxy(proxy, family, context);
  const authority = formatAddress(origin);
  const lines = [
    `CONNECT ${authority} HTTP/1.1`,
    `host: ${authority}`,
    ...(proxy.authorization === undefined ? [] : [`proxy-authorization: ${proxy.authorization}`]),
  ];
  context.trace?.({ kind: 'sent', what: 'request to the proxy', text: maskedLines(lines) });
  try {
    const { response, rest } = await converse(
      connection,
      { method: 'CONNECT', bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1') },
      { maxBody: 0, keepBody: false },
      // The tunnel is part of the way: a deadline that passes here finds no connection.
      { ...context, enter: () => context.enter('connect') },
    );
    context.trace?.({ kind: 'received', what: 'answer of the proxy', text: describeHead(response) });
    const { status } = response;
    const answered = `the proxy ${formatAddress(proxy)} answered ${status} to CONNECT ${authority}`;
    if (status >= 500) throw new ProbeFailure('unreachable', answered);
    if (status < 200 || status > 299) throw new ProbeFailure('status', answered);
    if (rest > 0) throw new ProbeFailure('protocol', `${answered}, and went on speaking`);
    return connection;
  } catch (error) {
    connection.close();
    throw error instanceof ProbeFailure && error.message.startsWith('the proxy ')
      ? error
      : onTheWay(proxy, error, context);
  }
}

function onTheWay(proxy: Proxy, error: unknown, { signal }: ProbeContext): unknown {
  if (signal.aborted) return error;
  const outcome = outcomeOf(error);
  if (outcome.status !== 'fail') return error;
  const away = ['refused', 'reset', 'closed'].includes(outcome.reason);
  return new ProbeFailure(
    away ? 'unreachable' : outcome.reason,
    `the proxy ${formatAddress(proxy)}: ${outcome.message}`,
  );
}
