import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection, TlsRequest } from './dial.ts';
import { ProbeFailure } from './reason.ts';
import { event, onAbort } from './socket.ts';
import { connectionOptions, readCertificate, traceChain } from './tls.ts';

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
  const abort = onAbort(close);
  function close(): void {
    abort.forget();
    below.close();
    socket?.destroy();
  }
  abort.watch(signal);
  try {
    const tls = connectTls({
      ...connectionOptions(settings, host, alpn),
      socket: detached(below.socket, () => {
        cut = !tls.readableEnded;
      }),
    });
    socket = tls;
    // Also those that come along with the end of the handshake: Node says them once, and does not destroy the socket.
    let broken: Error | undefined;
    tls.on('error', (error) => {
      broken ??= error;
    });
    // Node verifies the chain after this, and drops one that it refuses: the very one that a person wants to see.
    if (context.trace) tls.prependOnceListener('secure', () => traceChain(tls, context));
    await event(tls, 'secureConnect', signal);
    // What came along with the end of the handshake has been told by now, and to nobody.
    if (broken || tls.destroyed || tls.readableEnded) {
      throw broken ?? new ProbeFailure('closed', 'closed right after the TLS handshake');
    }
    // RFC 7301 section 3.2: a server that does not know of ALPN goes on without it.
    if (settings.alpn && tls.alpnProtocol === false) {
      const offered = settings.alpn.join(', ');
      throw new ProbeFailure('tls', `the server chose none of the protocols that were offered: ${offered}`);
    }
    const certificate = readCertificate(tls, settings, context);
    return {
      socket: tls,
      certificate,
      wasReset: below.wasReset,
      wasCut: () => cut,
      close,
      park(ms, waitedTooLong) {
        abort.forget();
        below.park(ms, waitedTooLong);
      },
      resume(next) {
        abort.watch(next);
        below.resume(next);
      },
    };
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
