import type { HostPort } from '../../src/core/address.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { ACCEPT_ENCODING } from './decode.ts';

/** One hop: where to dial and the bytes to send. */
export interface Request {
  readonly method: string;
  /** Absolute, without a fragment. */
  readonly url: string;
  readonly headers: ReadonlyMap<string, readonly [name: string, value: string]>;
  readonly body: string | undefined;
}

export interface RequestSettings {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth?:
    | { readonly basic?: Credentials | undefined; readonly bearer?: string | undefined }
    | undefined;
  readonly body?: { readonly text: string; readonly json: boolean } | undefined;
  readonly decompress?: boolean;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The first hop's request. Headers of the user's replace ours, whatever their case. */
export function firstRequest(settings: RequestSettings, userAgent: string): Request {
  const headers = new Map<string, readonly [string, string]>();
  function set(name: string, value: string): void {
    headers.set(name.toLowerCase(), [name, value]);
  }
  set('user-agent', userAgent);
  set('accept', '*/*');
  if (settings.decompress) set('accept-encoding', ACCEPT_ENCODING);
  if (settings.auth?.bearer !== undefined) set('authorization', `Bearer ${settings.auth.bearer}`);
  if (settings.auth?.basic) {
    const { username, password } = settings.auth.basic;
    set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  }
  if (settings.body?.json) set('content-type', 'application/json');
  for (const [name, value] of Object.entries(settings.headers)) set(name, value);
  return {
    method: settings.method,
    url: settings.url.replace(/#.*$/s, ''),
    headers,
    body: settings.body?.text,
  };
}

/** What follows a redirect: RFC 9110 section 15.4, and what is meant for one origin stays there. Throws ProbeFailure. */
export function redirected(request: Request, status: number, location: string): Request {
  const url = destination(location, request.url);
  const headers = new Map(request.headers);
  if (url.origin !== new URL(request.url).origin) {
    for (const name of ['authorization', 'cookie', 'host']) headers.delete(name);
  }
  const toGet = status === 303 ? request.method !== 'HEAD' : status <= 302 && request.method === 'POST';
  if (toGet) headers.delete('content-type');
  return {
    method: toGet ? 'GET' : request.method,
    url: url.href,
    headers,
    body: toGet ? undefined : request.body,
  };
}

function destination(location: string, from: string): URL {
  // Header values are read as Latin-1, but what servers put beyond ASCII into a location is UTF-8.
  const written = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(written, from)) {
    throw new ProbeFailure('protocol', 'the redirect leads to what is not a URL');
  }
  const url = new URL(written, from);
  if (!/^https?:$/.test(url.protocol)) {
    throw new ProbeFailure('protocol', 'the redirect leads away from http');
  }
  url.hash = '';
  url.username = '';
  url.password = '';
  return url;
}

/** With what the jar has for it, beside the user's own cookies. */
export function withCookies(request: Request, cookies: string | undefined): Request {
  if (cookies === undefined) return request;
  const [name, own] = request.headers.get('cookie') ?? ['cookie', undefined];
  const headers = new Map(request.headers);
  headers.set('cookie', [name, own === undefined ? cookies : `${own}; ${cookies}`]);
  return { ...request, headers };
}

export interface Sending {
  /** To a proxy, which needs the whole URL. */
  readonly proxy?: { readonly authorization: string | undefined } | undefined;
  /** The connection is to be kept. */
  readonly keep?: boolean;
}

/** The lines of the head. The URL goes out as it was written, from its path on; what is not ASCII is escaped. */
export function headLines(request: Request, { proxy, keep = false }: Sending = {}): string[] {
  const { scheme, authority, path } = split(request.url);
  const lines = [`${request.method} ${proxy ? `${scheme}${authority}` : ''}${path} HTTP/1.1`];
  if (!request.headers.has('host')) lines.push(`host: ${authority.toLowerCase()}`);
  for (const [name, value] of request.headers.values()) lines.push(`${name}: ${value}`);
  if (proxy?.authorization !== undefined && !request.headers.has('proxy-authorization')) {
    lines.push(`proxy-authorization: ${proxy.authorization}`);
  }
  const length = lengthOf(request);
  if (length !== undefined) lines.push(`content-length: ${length}`);
  if (!keep && !request.headers.has('connection')) lines.push('connection: close');
  return lines;
}

/** The content-length that it goes out with (RFC 9110 section 8.6), if any. */
export function lengthOf({ method, body }: Request): number | undefined {
  const has = body !== undefined || ['POST', 'PUT', 'PATCH'].includes(method);
  return has ? Buffer.byteLength(body ?? '') : undefined;
}

/** The bytes of the request. */
export function encode(lines: readonly string[], body = ''): Buffer {
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return body === '' ? head : Buffer.concat([head, Buffer.from(body, 'utf8')]);
}

export interface Origin extends HostPort {
  readonly secure: boolean;
}

/** Where a URL is dialled. */
export function originOf(url: string): Origin {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  return {
    secure,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
  };
}

export function split(url: string): { scheme: string; authority: string; path: string } {
  const [, scheme = '', authority = '', rest = ''] = /^(https?:\/\/)([^/?#]*)(.*)$/is.exec(url) ?? [];
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return {
    scheme: scheme.toLowerCase(),
    authority: /[^\u0000-\u007f]/.test(authority) ? new URL(url).host : authority,
    path: path.replaceAll(/[^\u0000-\u007f]+/g, encodeURIComponent),
  };
}
