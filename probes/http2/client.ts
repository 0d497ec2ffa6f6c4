import type { TLSSocket } from 'node:tls';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import type { Answer, AnswerListener } from './answer-reader.ts';
import type { Head } from './fields.ts';
import type { Request } from './sender.ts';
import { type Session, type SessionOptions, createSession } from './session.ts';
import { describeHead, describeRequest, describeTrailers } from './trace.ts';

/** An HTTP/2 client over a connection, for one request at a time. It neither opens the connection nor closes it. */
export interface Client {
  /**
   * Sends the request and reads its answer, whose content goes to `content`. Rejects with ProbeFailure, with the
   * system's error, or on abort.
   */
  exchange(
    request: Request,
    context: Pick<ProbeContext, 'enter' | 'signal' | 'trace'>,
    content: AnswerListener['content'],
  ): Promise<Answer>;
  /** Whether another request can be sent over it. */
  readonly usable: boolean;
}

export type ClientOptions = Omit<SessionOptions, 'write'>;

/** Throws ProbeFailure where TLS has agreed on another protocol (RFC 9113 section 3.2). */
export function createClient(connection: Connection, options: ClientOptions): Client {
  const { socket } = connection;
  checkAgreed(socket);
  const session: Session = createSession({ ...options, write: (bytes) => void socket.write(bytes) });
  /** The open exchange's way out where the socket fails. */
  let reject: (error: Error) => void = () => {};
  let asking = false;

  socket.on('data', (chunk: Buffer) => {
    session.push(chunk);
    // A server may take its leave while nobody asks.
    if (!asking && !session.usable) connection.close();
  });
  socket.once('end', () => session.ended(connection.wasReset() ? 'reset' : 'closed'));
  socket.once('error', (error) => {
    reject(error);
    session.ended('reset');
  });
  socket.once('close', () => session.ended('closed'));

  return {
    async exchange(request, { enter, signal, trace }, content) {
      signal.throwIfAborted();
      asking = true;
      enter('wait');
      trace?.({ kind: 'sent', what: 'request', text: describeRequest(request) });
      return await new Promise((resolve, failed) => {
        reject = failed;
        session.open(request, {
          head(head: Head) {
            enter('receive');
            trace?.({ kind: 'received', what: 'response', text: describeHead(head) });
          },
          content,
          done(answer) {
            asking = false;
            resolve(answer);
          },
          failed: (error) => failed(signal.aborted ? (signal.reason as Error) : error),
          ...(trace && {
            interim: (head) =>
              trace({ kind: 'received', what: 'interim response', text: describeHead(head) }),
            trailers: (fields) =>
              trace({ kind: 'received', what: 'trailers', text: describeTrailers(fields) }),
            frame: (name, text) => trace({ kind: 'received', what: name, text }),
          }),
        });
      });
    },
    get usable() {
      return session.usable && !socket.destroyed && !socket.readableEnded;
    },
  };
}

function checkAgreed(socket: Connection['socket']): void {
  const agreed = (socket as Partial<TLSSocket>).alpnProtocol;
  if (agreed === undefined || agreed === 'h2') return;
  throw new ProbeFailure('protocol', `the server did not agree to HTTP/2 (ALPN: ${agreed || 'none'})`);
}
