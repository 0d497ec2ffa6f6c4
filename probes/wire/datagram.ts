import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { type HostPort, formatAddress } from '../../src/core/address.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { type Family, resolve } from './resolve.ts';

export interface Exchange<T> {
  readonly peer: HostPort;
  readonly family: Family;
  readonly bytes: Buffer;
  /** Sends the same once more, half-way to the deadline: one lost datagram is no outage. */
  readonly resend: boolean;
  /** Looks at a datagram that has come; undefined: it is not what we wait for. What it throws ends the exchange. */
  take(datagram: Buffer): T | undefined;
  /** How long silence has to last to be an answer in itself, ms; without it we wait until the deadline. */
  readonly quiet?: { readonly ms: number; readonly means: T };
}

/**
 * Sends a datagram and waits for one that answers it. The socket is connected: the system hands over only what comes
 * from that address and port, and tells of an ICMP refusal, which is thrown. Each exchange has a port of its own, so
 * that answers to an earlier one never arrive here.
 */
export async function exchange<T>(
  { peer, family, bytes, resend, take, quiet }: Exchange<T>,
  context: ProbeContext,
): Promise<T> {
  const { signal, clock, deadline, enter, trace } = context;
  const host = await resolve(peer.host, family, context);
  signal.throwIfAborted();
  enter('send');
  const socket = createSocket({
    type: isIP(host) === 6 ? 'udp6' : 'udp4',
    // It is an address already; Node's own way would ask the system's resolver for it.
    lookup: (address, _options, done) => done(null, address, isIP(address)),
  });
  let cancel = (): void => {};
  let onAbort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('error', (error) => {
        // Of a refusal Node says neither whose it is nor what for.
        error.message = `${error.message} ${formatAddress({ host, port: peer.port })}`;
        reject(error);
      });
      socket.on('message', (datagram) => {
        try {
          const taken = take(datagram);
          if (taken !== undefined) resolve(taken);
        } catch (error) {
          reject(error);
        }
      });
      const send = (): void => socket.send(bytes, (error) => error && reject(error));
      // Where it fails, Node hands over the error, which its types do not say.
      socket.connect(peer.port, host, (error?: Error) => {
        if (error) return reject(error);
        trace?.({ kind: 'note', text: `sending to ${formatAddress({ host, port: peer.port })}` });
        send();
        enter('wait');
        const now = clock.now();
        const half = now + Math.max(0, deadline - now) / 2;
        if (quiet) cancel = clock.schedule(Math.min(now + quiet.ms, half), () => resolve(quiet.means));
        else if (resend) {
          cancel = clock.schedule(half, () => {
            trace?.({ kind: 'note', text: 'no answer yet: sent once more' });
            send();
          });
        }
      });
    });
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
    // Its listeners stay: an error that is under way must not end the process.
    socket.close();
  }
}
