export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where somebody listens: an address, or the path of a unix socket. */
export type Endpoint = HostPort | { readonly socket: string };

/** `host:port`, `1.2.3.4:port` or `[v6]:port`; a text instead of a HostPort says what is wrong with it. */
export function parseAddress(text: string): HostPort | string {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^\s:[\]/@]+)):(\d+)$/.exec(text);
  if (!match) {
    return /^[^:[\]]+$/.test(text)
      ? `"${text}" has no port; write host:port`
      : `"${text}" is not host:port or [v6]:port`;
  }
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return `port ${match[3]} is out of range (1 to 65535)`;
  return { host: (match[1] ?? match[2])!, port };
}

/** The inverse of parseAddress. */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `unix:PATH`, or an address. */
export function formatEndpoint(endpoint: Endpoint): string {
  return 'socket' in endpoint ? `unix:${endpoint.socket}` : formatAddress(endpoint);
}

/** Only programs of this host can reach it. A name that merely begins like an address may lead anywhere. */
export function isLoopback(host: string): boolean {
  return /^(::ffff:)?127(\.\d{1,3}){1,3}$|^::1$/.test(host) || /^localhost\.?$|\.localhost\.?$/i.test(host);
}
