import type { Outcome } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { type Connection, secure } from '../wire/dial.ts';
import { createHearing } from '../wire/hearing.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { dialServer, take } from '../sql/door.ts';
import { type SqlSettings, sqlKeys } from '../sql/settings.ts';
import { type TlsSettings, withCertificate } from '../wire/tls.ts';
import { knock } from './knock.ts';
import { loadClient, login } from './login.ts';
import { SSL_REQUEST } from './messages.ts';

/** Whether a PostgreSQL takes logins; with a user, whether it answers a query. */
export const postgres: Probe<SqlSettings> = {
  kind: 'postgres',
  settings: withShortForm(['scalar'], (address) => ({ address }), sqlKeys('postgres', 'pg')),
  peer: ({ address }) => address,

  async attempt(settings, context) {
    try {
      const { tls, address, user } = settings;
      // Reading the client's files is ours: a deadline that passes here says nothing of the server.
      context.enter('queue');
      const client = user === undefined ? undefined : await loadClient();
      let connection = await dialServer(settings, context);
      try {
        if (tls) connection = await startTls(connection, tls, address?.host ?? 'localhost', context);
        const outcome: Outcome =
          client === undefined
            ? await knock(connection, context)
            : await login(client, connection, user!, settings, context);
        return withCertificate(outcome, connection.certificate);
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

async function startTls(
  connection: Connection,
  settings: TlsSettings,
  host: string,
  context: ProbeContext,
): Promise<Connection> {
  const hearing = createHearing(connection, context);
  context.enter('wait');
  context.trace?.({ kind: 'sent', what: 'postgres', text: 'SSLRequest' });
  connection.socket.write(SSL_REQUEST);
  const answer = (await take(hearing, 1)).toString('latin1');
  context.trace?.({ kind: 'received', what: 'postgres', text: answer });
  if (answer === 'N') throw new ProbeFailure('tls', 'the server does not offer TLS');
  if (answer !== 'S') throw new ProbeFailure('protocol', 'this is not PostgreSQL');
  // Slipped in on the way, to be taken for what TLS carries (CVE-2021-23222).
  if (hearing.heard().length > 0)
    throw new ProbeFailure('protocol', 'the server sent more before TLS than its answer');
  hearing.stop();
  return await secure(connection, { settings, host }, context);
}
