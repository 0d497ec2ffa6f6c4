import type { Connection } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** How the peer's side ended, as it was seen before anyone else tidied up after it. */
export interface Ending {
  /** The failure that this is before what was waited for. */
  before(what: string): Error;
}

/** To be called before the socket is handed on: then it hears first, while the socket still knows. */
export function watchEnding({ socket, wasReset }: Connection): Ending {
  let reset = false;
  let failure: Error | undefined;
  socket.once('end', () => (reset ||= wasReset()));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') reset = true;
    else failure = error;
  });
  return {
    before(what) {
      if (failure) return failure;
      const how = reset ? 'reset' : 'closed';
      return new ProbeFailure(how, `the server ${how} the connection before ${what}`);
    },
  };
}

/** What an error of ws, or of the HTTP client below it, says of the peer. */
export function failureOf(error: Error, ending: Ending): Error {
  if (error instanceof ProbeFailure) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  // Node's words for a connection that ended before the response, in order or not.
  if (code === 'ECONNRESET') return ending.before('its answer');
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') {
    return new ProbeFailure('too_large', error.message);
  }
  // A handshake that ws refuses is told by an error without a code.
  const isProtocol = code === '' || /^(WS_ERR_|HPE_)/.test(code);
  return isProtocol ? new ProbeFailure('protocol', error.message) : error;
}
