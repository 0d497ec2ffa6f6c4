import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { type ReaderOptions, type Response, createResponseReader } from './response.ts';

/** One request, as it goes over the wire. */
export interface Message {
  readonly method: string;
  readonly bytes: Buffer;
}

export interface Conversation {
  readonly response: Response;
  /** The connection is good for another request. */
  readonly reusable: boolean;
  /** Bytes that came behind the response. */
  readonly rest: number;
}

/** Sends one request and reads its response. Leaves the connection open, and nothing of its own on it. */
export function converse(
  { socket, wasReset, wasCut }: Connection,
  { method, bytes }: Message,
  options: Omit<ReaderOptions, 'method'>,
  { enter, signal }: ProbeContext,
): Promise<Conversation> {
  const reader = createResponseReader({ method, ...options });
  return new Promise((resolve, reject) => {
    let receiving = false;

    function settle(act: () => void): void {
      socket.removeListener('data', onData);
      socket.removeListener('end', onEnd);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      act();
    }
    function attend(read: () => boolean): void {
      try {
        if (!read()) return;
        const { response, reusable, rest } = reader;
        settle(() => resolve({ response, reusable, rest }));
      } catch (error) {
        settle(() => reject(error));
      }
    }
    function onData(chunk: Buffer): void {
      if (!receiving) enter('receive');
      receiving = true;
      attend(() => reader.push(chunk));
    }
    function onEnd(): void {
      attend(() => {
        if (wasReset()) throw new ProbeFailure('reset', 'the server reset the connection');
        if (wasCut()) throw new ProbeFailure('closed', 'the server cut TLS off inside its answer');
        reader.end();
        return true;
      });
    }
    function onError(error: Error): void {
      settle(() => reject(error));
    }
    function onClose(): void {
      const lost = new ProbeFailure('closed', 'the connection was lost');
      settle(() => reject(signal.aborted ? (signal.reason as Error) : lost));
    }

    socket.on('data', onData);
    socket.once('end', onEnd);
    socket.once('error', onError);
    socket.once('close', onClose);
    enter('wait');
    socket.write(bytes);
  });
}
