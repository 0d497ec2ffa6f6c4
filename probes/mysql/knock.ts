import { type Facts, type Outcome, ok } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { createHearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { farewell } from '../sql/door.ts';
import { isAboutUs, judgeError } from './judge.ts';
import { type Greeting, QUIT, handshakeResponse, isError, packet, readError, readPacket } from './packets.ts';

/** More than any exchange of a login without a password has. */
const MOST_PACKETS = 8;

/**
 * The handshake without a login. To hang up after the greeting would count as an interrupted handshake, and after
 * `max_connect_errors` of them (100 by default) the server shuts our host out, applications included. A login that is
 * denied does not count so.
 */
export async function knock(
  connection: Connection,
  greeting: Greeting,
  firstSequence: number,
  facts: Facts,
  context: ProbeContext,
): Promise<Outcome> {
  const { enter, trace } = context;
  const hearing = createHearing(connection, context);
  // It was stopped after the greeting.
  connection.socket.resume();
  trace?.({ kind: 'sent', what: 'mysql', text: 'HandshakeResponse41, user vitald, no password' });
  connection.socket.write(packet(firstSequence, handshakeResponse(greeting, 'vitald', firstSequence > 1)));
  enter('wait');
  for (let count = 0; count < MOST_PACKETS; count++) {
    const answer = await readPacket(hearing);
    enter('receive');
    if (isError(answer)) {
      const error = readError(answer);
      trace?.({ kind: 'received', what: 'mysql', text: `ERR ${error.number}: ${error.message}` });
      await farewell(connection, context, 'wait');
      return isAboutUs(error)
        ? ok(`ready, refuses the login (${error.number})`, facts)
        : judgeError(error, facts);
    }
    switch (answer.body[0]) {
      case 0x00:
        trace?.({ kind: 'received', what: 'mysql', text: 'OK' });
        await farewell(connection, context, QUIT);
        return ok('ready, lets us in', facts);
      case 0xfe:
        // Another way to authenticate: no password there, either.
        connection.socket.write(packet(answer.sequence + 1, Buffer.alloc(0)));
        break;
      case 0x01:
        // 3: the fast way was enough, and OK follows; 4: the password itself is wanted.
        if (answer.body[1] !== 3) connection.socket.write(packet(answer.sequence + 1, Buffer.from([0])));
        break;
      default:
        throw new ProbeFailure('protocol', 'the server answers the login with what is no answer');
    }
  }
  throw new ProbeFailure('protocol', 'the server does not come to an end with the login');
}
