import type { TLSSocket } from 'node:tls';
import type { ProbeContext } from '../../src/core/probe.ts';
import { patiently } from '../wire/patience.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** How long TLS has to hold once the handshake seems done, ms. */
const HOLDS_MS = 50;
/** How long a TLS 1.3 server has for refusing our certificate, ms. */
const REFUSAL_MS = 200;

/**
 * A handshake that seems done may fail yet: by an alert, or by records that make no sense. In TLS 1.3 the client is done
 * before the server has seen its certificate, and the refusal comes afterwards. A session ticket says that none will
 * come, but where we showed a certificate: some servers look at it that late.
 */
export function holds(
  socket: TLSSocket,
  showsCertificate: boolean,
  { clock, deadline }: ProbeContext,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let cancel = (): void => {};
    function settle(error?: Error): void {
      cancel();
      socket.removeListener('session', onSession);
      if (error) reject(error);
      else resolve();
    }
    function holdFor(ms: number): void {
      cancel();
      const now = clock.now();
      cancel = patiently(clock, now + Math.min(ms, Math.max(0, deadline - now) / 2), () => settle());
    }
    const onSession = (): void => holdFor(HOLDS_MS);
    const closed = (): void => settle(new ProbeFailure('closed', 'closed right after the TLS handshake'));

    const mayRefuse = socket.getProtocol() === 'TLSv1.3';
    holdFor(mayRefuse ? REFUSAL_MS : HOLDS_MS);
    if (mayRefuse && !showsCertificate) socket.once('session', onSession);
    socket.once('data', () => settle());
    socket.once('error', settle);
    socket.once('end', closed);
    socket.once('close', closed);
  });
}
