import { type Socket, connect } from 'node:net';
import { type HostPort, formatAddress } from '../../src/core/address.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { type Family, resolve } from './resolve.ts';
import { secure } from './secure.ts';
import { event, ignore, onAbort } from './socket.ts';
import type { PeerCertificate, TlsSettings } from './tls.ts';

export { secure } from './secure.ts';

export type Endpoint = HostPort | { readonly unix: string };

export interface TlsRequest {
  readonly settings: TlsSettings;
  /** What the certificate must be for, unless the settings name something else. */
  readonly host: string;
  /** Protocols to offer where the settings offer none. */
  readonly alpn?: readonly string[];
}

export interface DialOptions {
  /** 0: whichever the resolver puts first. */
  readonly family?: Family;
  readonly tls?: TlsRequest | undefined;
}

export interface Connection {
  /** Connected, and through its handshake where TLS was asked for. An error that nobody hears is dropped. */
  readonly socket: Socket;
  /** What the peer's certificate says of itself, where there is one. */
  readonly certificate: PeerCertificate | undefined;
  /**
   * Whether the end of what the peer sent was a reset in truth. libuv tells of a reset that arrives together with bytes
   * as of an orderly end; but the peer has no address any more then.
   */
  wasReset(): boolean;
  /**
   * Whether TLS ended without the peer's close_notify: anyone on the way may have cut the rest off (RFC 8446 section
   * 6.1). Asked once the socket has ended.
   */
  wasCut(): boolean;
  /**
   * Lets go at once, by a reset: a probe that closed first would leave a TIME_WAIT behind for each attempt, and run the
   * agent out of ports. Harmless when repeated.
   */
  close(): void;
  /**
   * Outlives its attempt: until `resume`, no abort closes it and it keeps no process running. After so many ms of
   * silence it is said to have waited too long. (By the socket's own timer, which goes with the socket: one of the clock
   * would keep the process running.)
   */
  park(ms: number, waitedTooLong: () => void): void;
  /** Belongs to another attempt now, and ends with that one's abort. */
  resume(signal: AbortSignal): void;
}

/**
 * A fresh connection to the first address of the name: no happy eyeballs, which hide half-dead hosts. Rejects with the
 * system's error; on abort the socket is closed, now or later.
 */
export async function dial(
  endpoint: Endpoint,
  context: ProbeContext,
  { family = 0, tls }: DialOptions = {},
): Promise<Connection> {
  const { signal, enter } = context;
  const options =
    'unix' in endpoint
      ? { path: endpoint.unix }
      : { host: await resolve(endpoint.host, family, context), port: endpoint.port, autoSelectFamily: false };
  signal.throwIfAborted();
  enter('connect');
  // Half open: a shutdown of Node's own, in answer to the peer's, would make the reset below fail and leak the socket.
  const raw = connect({ ...options, allowHalfOpen: true });
  raw.setNoDelay(true);
  raw.on('error', ignore);

  const abort = onAbort(close);
  function close(): void {
    abort.forget();
    const peerClosedFirst = raw.readableEnded || raw.writableEnded;
    if ('unix' in endpoint || raw.connecting || peerClosedFirst) raw.destroy();
    else raw.resetAndDestroy();
  }
  abort.watch(signal);

  const plain: Connection = {
    socket: raw,
    certificate: undefined,
    wasReset: () => !('unix' in endpoint) && raw.remoteAddress === undefined,
    wasCut: () => false,
    close,
    park(ms, waitedTooLong) {
      abort.forget();
      raw.unref();
      raw.setTimeout(ms);
      raw.once('timeout', waitedTooLong);
    },
    resume(next) {
      abort.watch(next);
      raw.ref();
      raw.setTimeout(0);
      raw.removeAllListeners('timeout');
    },
  };
  try {
    await event(raw, 'connect', signal);
    context.trace?.({ kind: 'note', text: `connected to ${placeOf(endpoint, options.host)}` });
    return tls ? await secure(plain, tls, context) : plain;
  } catch (error) {
    close();
    throw error;
  }
}

/** Not asked of the socket: it would remember its peer, and `wasReset` could not tell that it is gone. */
function placeOf(endpoint: Endpoint, resolved = ''): string {
  if ('unix' in endpoint) return endpoint.unix;
  const name = formatAddress(endpoint);
  return resolved === endpoint.host
    ? name
    : `${name} (${formatAddress({ host: resolved, port: endpoint.port })})`;
}
