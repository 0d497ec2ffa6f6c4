import { isIP } from 'node:net';

/** Of one attempt: what is set on the way is sent on the way, and forgotten in the end. */
export interface CookieJar {
  /** Takes the `set-cookie` fields of a response to this URL. `now` is the wall clock. */
  store(url: string, fields: readonly string[], now: number): void;
  /** The value of `cookie` for a request to this URL, if there is any. */
  header(url: string): string | undefined;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Without `domain`, for this host alone. */
  readonly host: string;
  readonly wholeDomain: boolean;
  readonly path: string;
  readonly secure: boolean;
}

const MOST_COOKIES = 50;
const MOST_BYTES = 4_096;

/** RFC 6265, as far as a chain of redirects needs it: no list of public suffixes, so no domain of a single label. */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();
  return {
    store(written, fields, now) {
      const url = new URL(written);
      for (const field of fields) {
        const parsed = parse(field, url, now);
        if (!parsed) continue;
        const { cookie, expired } = parsed;
        const key = `${cookie.name};${cookie.host};${cookie.path}`;
        cookies.delete(key);
        if (!expired && cookies.size < MOST_COOKIES) cookies.set(key, cookie);
      }
    },
    header(written) {
      const url = new URL(written);
      const fitting = [...cookies.values()]
        .filter((cookie) => fits(cookie, url))
        .toSorted((a, b) => b.path.length - a.path.length);
      return fitting.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined;
    },
  };
}

function parse(field: string, url: URL, now: number): { cookie: Cookie; expired: boolean } | undefined {
  const [pair = '', ...rest] = field.split(';');
  const [name, value] = split(pair);
  // A pair without a name is nothing that a server could want back.
  if (field.length > MOST_BYTES || name === '' || !pair.includes('=') || /[\0-\x08\x0a-\x1f\x7f]/.test(pair))
    return undefined;
  const attributes = new Map(
    rest.map(split).map(([key, text]): [string, string] => [key.toLowerCase(), text]),
  );
  const domain = (attributes.get('domain') ?? '').toLowerCase().replace(/^\./, '');
  if (domain !== '' && !mayBeFor(domain, url.hostname)) return undefined;
  const path = attributes.get('path') ?? '';
  const secure = attributes.has('secure');
  const cookie: Cookie = {
    name,
    value,
    host: domain === '' ? url.hostname : domain,
    wholeDomain: domain !== '' && isIP(domain) === 0,
    path: path.startsWith('/') ? path : url.pathname.replace(/\/[^/]*$/, '') || '/',
    secure,
  };
  const isSecure = url.protocol === 'https:';
  if (secure && !isSecure) return undefined;
  if (/^__secure-/i.test(name) && !secure) return undefined;
  if (/^__host-/i.test(name) && !(secure && cookie.path === '/' && domain === '')) return undefined;
  return { cookie, expired: isExpired(attributes, now) };
}

function split(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  return at === -1 ? [pair.trim(), ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

/** Max-Age comes before Expires (section 5.3). */
function isExpired(attributes: ReadonlyMap<string, string>, now: number): boolean {
  const age = attributes.get('max-age');
  if (age !== undefined && /^-?\d+$/.test(age)) return Number(age) <= 0;
  const until = Date.parse(attributes.get('expires') ?? '');
  return until <= now;
}

function mayBeFor(domain: string, host: string): boolean {
  if (domain === host) return true;
  return isIP(host) === 0 && domain.includes('.') && host.endsWith(`.${domain}`);
}

function fits({ host, wholeDomain, path, secure }: Cookie, url: URL): boolean {
  if (secure && url.protocol !== 'https:') return false;
  if (host !== url.hostname && !(wholeDomain && url.hostname.endsWith(`.${host}`))) return false;
  if (path === url.pathname) return true;
  return url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}
