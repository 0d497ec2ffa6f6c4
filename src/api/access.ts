import { type Endpoint, isLoopback, parseAddress } from '../core/address.ts';

export interface Access {
  /** Anything but a GET changes something. */
  readonly changes: boolean;
  /** The Host header, which says what the browser, if it is one, takes us for. */
  readonly host: string | undefined;
  /** What a browser says of the page that asks. */
  readonly page?: { readonly origin?: string | undefined; readonly site?: string | undefined };
  /** Whether the token of the Authorization header is right; null where none was sent. */
  readonly admitted: boolean | null;
  readonly listen: Endpoint;
}

export interface Denial {
  readonly status: 401 | 403;
  readonly error: string;
}

/**
 * Who may ask for what: everything with the token; without it, what changes nothing, and that only from this host. The
 * token is taken from the Authorization header alone, which no page can make a browser send to another site. A page
 * whose name was pointed to loopback (DNS rebinding) still sends that name as Host, and so reads nothing. A page of
 * another site could not read the answer, but have it made: it gets none, whatever a proxy adds to its request.
 */
export function denialOf({ changes, host, page, admitted, listen }: Access): Denial | null {
  if (isOfAnotherSite(page, host)) return { status: 403, error: 'this was asked by a page of another site' };
  if (admitted) return null;
  if (admitted === false) return { status: 401, error: 'the token is wrong' };
  if (changes) return { status: 401, error: 'this changes something and needs the token' };
  if ('socket' in listen) return null;
  if (!isLoopback(listen.host)) return { status: 401, error: 'this address needs the token' };
  const known = isLoopback(nameIn(host ?? '')) || nameIn(host ?? '') === listen.host;
  return known
    ? null
    : { status: 403, error: 'the Host header is none of ours; send the token, or localhost' };
}

/** Every browser of today sends `Sec-Fetch-Site` to loopback and over TLS; where it does not, it may send `Origin`. */
function isOfAnotherSite({ origin, site }: Access['page'] = {}, host = ''): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase());
}

function nameIn(host: string): string {
  const address = parseAddress(/:\d+$/.test(host) ? host : `${host}:80`);
  return typeof address === 'string' ? '' : address.host;
}
