import type { Outcome } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { type Connection, secure } from '../wire/dial.ts';
import { createHearing } from '../wire/hearing.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { dialServer, farewell } from '../sql/door.ts';
import { type SqlSettings, sqlKeys } from '../sql/settings.ts';
import { withCertificate } from '../wire/tls.ts';
import { judgeError } from './judge.ts';
import { knock } from './knock.ts';
import { loadClient, login } from './login.ts';
import {
  CLIENT_SSL,
  handshakeResponse,
  isError,
  packet,
  readError,
  readGreeting,
  readPacket,
} from './packets.ts';

/** Whether a MySQL or MariaDB takes logins; with a user, whether it answers a query. */
export const mysql: Probe<SqlSettings> = {
  kind: 'mysql',
  settings: withShortForm(['scalar'], (address) => ({ address }), sqlKeys('mysql', 'mysql2')),
  peer: ({ address }) => address,

  async attempt(settings, context) {
    try {
      // Reading the client's files is ours: a deadline that passes here says nothing of the server.
      context.enter('queue');
      const client = settings.user === undefined ? undefined : await loadClient();
      const connection = await dialServer(settings, context);
      try {
        return await ask(client, connection, settings, context);
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

async function ask(
  client: Awaited<ReturnType<typeof loadClient>> | undefined,
  connection: Connection,
  settings: SqlSettings,
  context: ProbeContext,
): Promise<Outcome> {
  const { enter, trace } = context;
  const hearing = createHearing(connection, context);
  enter('wait');
  const first = await readPacket(hearing);
  enter('receive');
  if (isError(first)) {
    const error = readError(first);
    trace?.({ kind: 'received', what: 'mysql', text: `ERR ${error.number}: ${error.message}` });
    await farewell(connection, context, 'wait');
    return judgeError(error);
  }
  const greeting = readGreeting(first);
  trace?.({ kind: 'received', what: 'mysql', text: `greeting of ${greeting.version}` });
  if (hearing.heard().length > 0)
    throw new ProbeFailure('protocol', 'the server sent more than its greeting');
  hearing.stop();
  const facts = { version: greeting.version };
  const { tls, address, user } = settings;
  if (tls && !(greeting.capabilities & CLIENT_SSL))
    throw new ProbeFailure('tls', 'the server does not offer TLS');
  if (client) return await login(client, connection, packet(0, first.body), user!, settings, facts, context);
  if (!tls) return await knock(connection, greeting, 1, facts, context);
  connection.socket.write(packet(1, handshakeResponse(greeting, '', true).subarray(0, 32)));
  const secured = await secure(connection, { settings: tls, host: address?.host ?? 'localhost' }, context);
  try {
    return withCertificate(await knock(secured, greeting, 2, facts, context), secured.certificate);
  } finally {
    secured.close();
  }
}
