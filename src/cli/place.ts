import { resolve } from 'node:path';
import { isLoopback, parseAddress } from '../core/address.ts';
import { UsageError } from './args.ts';

/** Where an agent is asked. */
export interface Place {
  /** As the user would write it. */
  readonly name: string;
  readonly url: URL;
  readonly socketPath?: string;
  /** Of this host: its agent's token is meant for it. */
  readonly isHere: boolean;
}

/** A URL, host:port or unix:PATH. Throws UsageError. */
export function placeOf(written: string): Place {
  const path = /^unix:(.+)$/.exec(written)?.[1];
  if (path !== undefined) {
    return { name: written, url: new URL('http://localhost'), socketPath: resolve(path), isHere: true };
  }
  const isUrl = /^https?:\/\//i.test(written);
  const address = isUrl ? undefined : parseAddress(written);
  if ((isUrl && !URL.canParse(written)) || typeof address === 'string') {
    throw new UsageError(`"${written}" is no URL, no host:port and no unix:PATH`);
  }
  const url = new URL(isUrl ? written : `http://${written}`);
  // An agent that listens on every address of this host.
  if (/^(0\.0\.0\.0|\[::\])$/.test(url.hostname))
    url.hostname = url.hostname === '[::]' ? '[::1]' : '127.0.0.1';
  return { name: written, url, isHere: isLoopback(url.hostname.replaceAll(/[[\]]/g, '')) };
}
