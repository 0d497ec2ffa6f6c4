import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from './dial.ts';
import { patiently } from './patience.ts';

/** What a peer may say before a step is decided. */
export const MAX_HEARD = 64 * 1024;

/** How the peer's side came to its end. `cut`: it broke off, and more may have been meant. */
export type Ending = 'closed' | 'reset' | 'cut' | Error;

/** All that a peer says, kept until it is used up. */
export interface Hearing {
  /** What has come and is not used up. */
  heard(): Buffer;
  useUp(bytes: number): void;
  ending(): Ending | undefined;
  /** Until there is more, or the end; false where neither came by that time. */
  more(until: number): Promise<boolean>;
  /** Until that time, whatever comes; no longer than until there is too much, or the end. */
  rest(until: number): Promise<void>;
  /** Stops listening: what comes next is for somebody else. */
  stop(): void;
}

export function createHearing(
  { socket, wasReset, wasCut }: Connection,
  { clock, signal }: Pick<ProbeContext, 'clock' | 'signal'>,
): Hearing {
  let parts: Buffer[] = [];
  let size = 0;
  let ending: Ending | undefined;
  let wake = (): void => {};

  function onData(part: Buffer): void {
    parts.push(part);
    size += part.length;
    if (size >= MAX_HEARD) socket.pause();
    wake();
  }
  function end(how: Ending): void {
    ending ??= signal.aborted ? (signal.reason as Error) : how;
    wake();
  }
  const onEnd = (): void => end(wasReset() ? 'reset' : wasCut() ? 'cut' : 'closed');
  const onError = (error: NodeJS.ErrnoException): void => end(error.code === 'ECONNRESET' ? 'reset' : error);
  const onClose = (): void => end('closed');

  function more(until: number): Promise<boolean> {
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const settle = (came: boolean): void => {
        wake = () => {};
        cancel();
        resolve(came);
      };
      wake = () => settle(true);
      if (until !== Infinity) cancel = patiently(clock, until, () => settle(false));
    });
  }

  socket.on('data', onData);
  socket.once('end', onEnd);
  socket.once('error', onError);
  socket.once('close', onClose);
  // What went wrong while nobody listened tells nobody any more.
  if (socket.errored) onError(socket.errored);
  else if (socket.destroyed) onClose();

  return {
    heard() {
      if (parts.length > 1) parts = [Buffer.concat(parts)];
      return parts[0] ?? Buffer.alloc(0);
    },
    useUp(bytes) {
      const left = this.heard().subarray(bytes);
      parts = left.length > 0 ? [left] : [];
      size = left.length;
      if (size < MAX_HEARD) socket.resume();
    },
    ending: () => ending,
    more,
    async rest(until) {
      const enough = (): boolean => size >= MAX_HEARD || ending !== undefined;
      while (clock.now() < until && !enough()) await more(until);
    },
    stop() {
      socket.pause();
      socket.removeListener('data', onData);
      socket.removeListener('end', onEnd);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
    },
  };
}
