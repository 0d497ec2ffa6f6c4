import type { HostPort } from '../../src/core/address.ts';
import { ProbeFailure } from '../reason.ts';
import type { TlsSettings } from '../tls.ts';

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
  readonly tls?: TlsSettings | undefined;
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

/** The bytes of the request. The URL goes out as it was written, from its path on; what is not ASCII is escaped. */
export function encode(request: Request): Buffer {
  const { authority, path } = split(request.url);
  const lines = [`${request.method} ${path} HTTP/1.1`];
  if (!request.headers.has('host')) lines.push(`host: ${authority.toLowerCase()}`);
  for (const [name, value] of request.headers.values()) lines.push(`${name}: ${value}`);
  const body = Buffer.from(request.body ?? '', 'utf8');
  const needsLength = request.body !== undefined || ['POST', 'PUT', 'PATCH'].includes(request.method);
  if (needsLength && !request.headers.has('content-length')) lines.push(`content-length: ${body.length}`);
  if (!request.headers.has('connection')) lines.push('connection: close');
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
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

function split(url: string): { authority: string; path: string } {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return {
    authority: /[^\u0000-\u007f]/.test(authority) ? new URL(url).host : authority,
    path: path.replaceAll(/[^\u0000-\u007f]+/g, encodeURIComponent),
  };
}
