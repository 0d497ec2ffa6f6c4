import { type Socket, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import type { HostPort } from '../src/core/address.ts';
import type { Facts } from '../src/core/outcome.ts';
import type { ProbeContext } from '../src/core/probe.ts';
import { ProbeFailure } from './reason.ts';
import { resolve } from './resolve.ts';
import { type TlsSettings, certificateFacts, connectionOptions } from './tls.ts';

export type Endpoint = HostPort | { readonly unix: string };

export interface TlsRequest {
  readonly settings: TlsSettings;
  /** What the certificate must be for, unless the settings name something else. */
  readonly host: string;
  readonly alpn?: readonly string[];
}

export interface Connection {
  /** Connected, and through its handshake where TLS was asked for. An error that nobody hears is dropped. */
  readonly socket: Socket;
  /** What the peer's certificate says of itself, where there is one. */
  readonly facts: Facts;
  /**
   * Whether the end of what the peer sent was a reset in truth. libuv tells of a reset that arrives together with bytes
   * as of an orderly end; but the peer has no address any more then.
   */
  wasReset(): boolean;
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
export async function dial(endpoint: Endpoint, context: ProbeContext, tls?: TlsRequest): Promise<Connection> {
  const { signal, enter } = context;
  const options =
    'unix' in endpoint
      ? { path: endpoint.unix }
      : { host: await resolve(endpoint.host, 0, context), port: endpoint.port, autoSelectFamily: false };
  signal.throwIfAborted();
  enter('connect');
  // Half open: a shutdown of Node's own, in answer to the peer's, would make the reset below fail and leak the socket.
  const raw = connect({ ...options, allowHalfOpen: true });
  raw.setNoDelay(true);
  // What fails between two listeners, or after close, must not end the process.
  raw.on('error', ignore);
  let socket = raw;
  let facts: Facts = {};

  function close(): void {
    signal.removeEventListener('abort', close);
    const peerClosedFirst = raw.readableEnded || raw.writableEnded;
    if ('unix' in endpoint || raw.connecting || peerClosedFirst) raw.destroy();
    else raw.resetAndDestroy();
    if (socket !== raw) socket.destroy();
  }
  signal.addEventListener('abort', close, { once: true });

  try {
    await event(raw, 'connect', signal);
    if (tls) {
      enter('tls');
      const secure = connectTls({
        ...connectionOptions(tls.settings, tls.host),
        ...(tls.alpn && { ALPNProtocols: [...tls.alpn] }),
        socket: detached(raw),
      });
      socket = secure;
      secure.on('error', ignore);
      await event(secure, 'secureConnect', signal);
      if (secure.destroyed) {
        throw (
          secure.errored ??
          new ProbeFailure('closed', 'the peer closed the connection after the TLS handshake')
        );
      }
      facts = certificateFacts(secure, context.clock.wallTime());
    }
    const wasReset = (): boolean => !('unix' in endpoint) && raw.remoteAddress === undefined;
    return { socket, facts, wasReset, close };
  } catch (error) {
    close();
    throw handshakeError(error, socket !== raw);
  }
}

/**
 * The same bytes behind a stream of ours. TLS on top of Node's own socket takes over its handle, and resetting that
 * handle then crashes the process (seen on Node 20.20).
 */
function detached(raw: Socket): Duplex {
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
    final: (done) => done(),
  });
  raw.on('data', (chunk) => {
    if (!stream.push(chunk)) raw.pause();
  });
  raw.once('end', () => stream.push(null));
  raw.once('error', (error) => stream.destroy(error));
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
function handshakeError(error: unknown, inHandshake: boolean): unknown {
  if (!inHandshake || !(error instanceof Error)) return error;
  if (error.message.startsWith('Client network socket disconnected before secure TLS')) {
    return new ProbeFailure('closed', 'the peer closed the connection during the TLS handshake');
  }
  return error;
}

function ignore(): void {}
