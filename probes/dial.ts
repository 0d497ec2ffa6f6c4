import { type Socket, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { type HostPort, formatAddress } from '../src/core/address.ts';
import type { ProbeContext } from '../src/core/probe.ts';
import { ProbeFailure } from './reason.ts';
import { type Family, resolve } from './resolve.ts';
import { type PeerCertificate, type TlsSettings, connectionOptions, readCertificate } from './tls.ts';

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
  // What fails between two listeners, or after close, must not end the process.
  raw.on('error', ignore);

  function close(): void {
    signal.removeEventListener('abort', close);
    const peerClosedFirst = raw.readableEnded || raw.writableEnded;
    if ('unix' in endpoint || raw.connecting || peerClosedFirst) raw.destroy();
    else raw.resetAndDestroy();
  }
  signal.addEventListener('abort', close, { once: true });

  const plain: Connection = {
    socket: raw,
    certificate: undefined,
    wasReset: () => !('unix' in endpoint) && raw.remoteAddress === undefined,
    wasCut: () => false,
    close,
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

/**
 * TLS over a connection that stands: after STARTTLS, or through a proxy's tunnel. The connection belongs to what comes
 * back, and is closed where the handshake fails.
 */
export async function secure(
  below: Connection,
  { settings, host, alpn }: TlsRequest,
  context: ProbeContext,
): Promise<Connection> {
  const { signal, enter } = context;
  enter('tls');
  let cut = false;
  let socket: TLSSocket | undefined;
  function close(): void {
    signal.removeEventListener('abort', close);
    below.close();
    socket?.destroy();
  }
  signal.addEventListener('abort', close, { once: true });
  try {
    const tls = connectTls({
      ...connectionOptions(settings, host, alpn),
      socket: detached(below.socket, () => {
        cut = !tls.readableEnded;
      }),
    });
    socket = tls;
    tls.on('error', ignore);
    await event(tls, 'secureConnect', signal);
    // What came along with the end of the handshake has been told by now, and to nobody.
    if (tls.destroyed || tls.readableEnded) {
      throw tls.errored ?? new ProbeFailure('closed', 'closed right after the TLS handshake');
    }
    // RFC 7301 section 3.2: a server that does not know of ALPN goes on without it.
    if (settings.alpn && tls.alpnProtocol === false) {
      const offered = settings.alpn.join(', ');
      throw new ProbeFailure('tls', `the server chose none of the protocols that were offered: ${offered}`);
    }
    const certificate = readCertificate(tls, settings, context);
    return { socket: tls, certificate, wasReset: below.wasReset, wasCut: () => cut, close };
  } catch (error) {
    const told = handshakeError(error, below);
    close();
    throw told;
  }
}

/**
 * The same bytes behind a stream of ours. TLS on top of Node's own socket takes over its handle, and resetting that
 * handle then crashes the process (seen on Node 20.20). `beforeEnd` is called when the peer has ended and all that it
 * sent has been through TLS: a close_notify among it has ended the TLS socket by then.
 */
function detached(below: Socket, beforeEnd: () => void): Duplex {
  const stream = new Duplex({
    read: () => void below.resume(),
    write: (chunk: Buffer, _encoding, done) => void below.write(chunk, done),
    final: (done) => done(),
  });
  below.on('data', (chunk) => {
    if (!stream.push(chunk)) below.pause();
  });
  below.once('end', () => {
    setImmediate(() => {
      beforeEnd();
      stream.push(null);
    });
  });
  below.once('error', (error) => stream.destroy(error));
  return stream;
}

function event(
  socket: Socket | TLSSocket,
  name: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    function settle(error?: Error): void {
      socket.removeListener(name, settled);
      socket.removeListener('error', settle);
      socket.removeListener('close', closed);
      if (error) reject(error);
      else resolve();
    }
    const settled = (): void => settle();
    const closed = (): void =>
      settle(
        signal.aborted
          ? (signal.reason as Error)
          : new ProbeFailure('closed', 'the peer closed the connection'),
      );
    socket.once(name, settled);
    socket.once('error', settle);
    socket.once('close', closed);
  });
}

/** Node reports a connection that ends inside the handshake as ECONNRESET, whichever way it ended. */
function handshakeError(error: unknown, { wasReset }: Connection): unknown {
  if (!(error instanceof Error)) return error;
  const ended =
    error.message.startsWith('Client network socket disconnected before secure TLS') ||
    (error instanceof ProbeFailure && error.reason === 'closed');
  if (!ended) return error;
  if (wasReset()) return new ProbeFailure('reset', 'the peer reset the connection during the TLS handshake');
  return error instanceof ProbeFailure
    ? error
    : new ProbeFailure('closed', 'the peer closed the connection during the TLS handshake');
}

/** Not asked of the socket: it would remember its peer, and `wasReset` could not tell that it is gone. */
function placeOf(endpoint: Endpoint, resolved = ''): string {
  if ('unix' in endpoint) return endpoint.unix;
  const name = formatAddress(endpoint);
  return resolved === endpoint.host
    ? name
    : `${name} (${formatAddress({ host: resolved, port: endpoint.port })})`;
}

function ignore(): void {}
