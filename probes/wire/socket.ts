import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ProbeFailure } from './reason.ts';

/** Resolves at the event; rejects at an error, at the end and on abort. */
export function event(
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

/** Acts when the signal that is watched is aborted: one signal at a time. */
export function onAbort(act: () => void): { watch(signal: AbortSignal): void; forget(): void } {
  let watched: AbortSignal | undefined;
  function forget(): void {
    watched?.removeEventListener('abort', act);
    watched = undefined;
  }
  return {
    watch(signal) {
      forget();
      watched = signal;
      signal.addEventListener('abort', act, { once: true });
    },
    forget,
  };
}

/** What fails between two listeners, or after close, must not end the process. */
export function ignore(): void {}
