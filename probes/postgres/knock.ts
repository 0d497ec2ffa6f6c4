import { type Outcome, ok } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { createHearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { farewell } from '../sql/door.ts';
import { factsOf, isAboutUs, judgeError } from './judge.ts';
import { TERMINATE, readError, readMessage, readParameter, startup } from './messages.ts';

/** More than any server sends before it is ready. */
const MOST_MESSAGES = 200;

/** The start-up without a login: a server that wants to know who we are is ready. */
export async function knock(connection: Connection, context: ProbeContext): Promise<Outcome> {
  const { enter, trace } = context;
  const hearing = createHearing(connection, context);
  enter('wait');
  trace?.({ kind: 'sent', what: 'postgres', text: 'StartupMessage 3.0, user postgres' });
  // A user that there nearly always is: one that there is not leaves a line in the server's log each time.
  connection.socket.write(startup({ user: 'postgres', application_name: 'vitald' }));
  const parameters = new Map<string, string>();
  for (let count = 0; count < MOST_MESSAGES; count++) {
    const { type, body } = await readMessage(hearing);
    enter('receive');
    switch (type) {
      case 'R': {
        const method = body.length < 4 ? -1 : body.readUInt32BE(0);
        if (method === 0) break;
        const asks = METHODS[method];
        if (asks === undefined) throw new ProbeFailure('protocol', 'this is not PostgreSQL');
        trace?.({ kind: 'received', what: 'postgres', text: `Authentication: ${asks}` });
        await farewell(connection, context, 'end');
        return ok(`ready, asks for ${asks}`);
      }
      case 'E': {
        const error = readError(body);
        trace?.({
          kind: 'received',
          what: 'postgres',
          text: `ErrorResponse ${error.code}: ${error.message}`,
        });
        await farewell(connection, context, 'wait');
        return isAboutUs(error) ? ok(`ready, refuses the login (${error.code})`) : judgeError(error);
      }
      case 'S':
        parameters.set(...readParameter(body));
        break;
      case 'Z':
        trace?.({ kind: 'received', what: 'postgres', text: 'ReadyForQuery' });
        await farewell(connection, context, TERMINATE);
        return ok('ready, lets us in', factsOf(parameters));
      case 'K':
      case 'N':
      case 'v':
        break;
      default:
        throw new ProbeFailure('protocol', 'this is not PostgreSQL');
    }
  }
  throw new ProbeFailure('protocol', 'the server does not come to an end with its start-up');
}

/** Authentication requests, by their number in the protocol. */
const METHODS: Readonly<Record<number, string>> = {
  2: 'Kerberos',
  3: 'a password',
  5: 'a password (MD5)',
  6: 'SCM credentials',
  7: 'GSSAPI',
  9: 'SSPI',
  10: 'a password (SASL)',
};
