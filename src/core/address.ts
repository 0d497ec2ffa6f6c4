export interface HostPort {
  readonly host: string;
  readonly port: number;
}

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
