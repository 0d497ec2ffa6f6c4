import type { createConnection } from 'mysql2';
import { type Facts, type Outcome } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { type Connection, secure } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { farewell } from '../sql/door.ts';
import { type Answer, judgeAnswer } from '../sql/judge.ts';
import type { SqlSettings } from '../sql/settings.ts';
import { createWire } from '../sql/wire.ts';
import { withCertificate } from '../wire/tls.ts';
import { createFraming } from './framing.ts';
import { judgeError } from './judge.ts';
import { CLIENT_SSL, QUIT, packet } from './packets.ts';

const DEFAULT_QUERY = 'SELECT 1';

type Client = { readonly createConnection: typeof createConnection };

/** Loaded by the first target that logs in. */
export async function loadClient(): Promise<Client> {
  const { default: mysql } = await import('mysql2');
  return mysql;
}

/**
 * Logs in and asks the query: the client `mysql2`, over our connection. It is handed the greeting, which we have read. TLS
 * begins after the client's first packet: its head is the SSLRequest, and what comes after it goes through TLS.
 */
export async function login(
  { createConnection }: Client,
  connection: Connection,
  greeting: Buffer,
  user: string,
  settings: SqlSettings,
  facts: Facts,
  context: ProbeContext,
): Promise<Outcome> {
  const { enter, trace } = context;
  const { password, database, tls, unix, address, query = DEFAULT_QUERY } = settings;
  const framing = createFraming();
  let begun = false;
  const wire = createWire(connection, context, {
    onReceive: framing.received,
    async onSend(bytes, wire) {
      const isFirst = !begun;
      begun = true;
      if (!isFirst || !tls) return framing.sent(bytes);
      const response = Buffer.from(bytes);
      response.writeUInt32LE((response.readUInt32LE(4) | CLIENT_SSL) >>> 0, 4);
      wire.stop();
      trace?.({ kind: 'sent', what: 'mysql', text: 'SSLRequest' });
      connection.socket.write(packet(1, response.subarray(4, 36)));
      wire.over(await secure(connection, { settings: tls, host: address?.host ?? 'localhost' }, context));
      enter('wait');
      framing.shift();
      return framing.sent(response);
    },
  });
  const client = createConnection({
    stream: wire.stream,
    user,
    password: password ?? '',
    ...(database !== undefined && { database }),
    connectTimeout: 0,
    dateStrings: true,
    decimalNumbers: true,
    flags: ['-LOCAL_FILES'],
    // What is secret may be said over it in plain: that is what mysql2 takes from there being a socket's path.
    ...((tls || unix !== undefined) && { socketPath: 'secured' }),
  });
  client.on('error', () => {});
  /** What the server understands as an orderly end by then. */
  let goodbye: Buffer | 'wait' = 'wait';
  client.once('connect', () => (goodbye = QUIT));

  function ask(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      client.query({ sql: query, rowsAsArray: true }, (error, rows, fields) => {
        enter('receive');
        if (error) reject(error);
        else resolve({ columns: (fields ?? []).map(({ name }) => name), row: firstRow(rows) });
      });
    });
  }
  try {
    enter('wait');
    trace?.({ kind: 'sent', what: 'mysql', text: `HandshakeResponse41, user ${user}` });
    trace?.({ kind: 'sent', what: 'mysql', text: query });
    const asked = ask();
    wire.deliver(greeting);
    const answer = await Promise.race([asked, wire.broken]);
    return withCertificate(judgeAnswer(answer, settings, facts, trace), wire.connection().certificate);
  } catch (error) {
    return withCertificate(outcomeOfClient(error, facts), wire.connection().certificate);
  } finally {
    wire.stop();
    await farewell(wire.connection(), context, goodbye);
    wire.stream.destroy();
    wire.connection().close();
  }
}

/** Of several statements mysql2 gives several results; of one that asks nothing, no rows. */
function firstRow(rows: unknown): readonly unknown[] | undefined {
  return Array.isArray(rows) && Array.isArray(rows[0]) ? rows[0] : undefined;
}

/** mysql2 throws what the server said, what the socket said, and what it thinks of the protocol. */
function outcomeOfClient(error: unknown, facts: Facts): Outcome {
  if (!(error instanceof Error) || error instanceof ProbeFailure) throw error;
  const { errno, code, sqlMessage } = error as {
    readonly errno?: unknown;
    readonly code?: string;
    readonly sqlMessage?: string;
  };
  if (typeof errno === 'number' && sqlMessage !== undefined) {
    return judgeError({ number: errno, message: sqlMessage }, facts);
  }
  if (code !== undefined && /^(E[A-Z]+$|CERT_|ERR_|DEPTH_|SELF_|UNABLE_)/.test(code)) throw error;
  throw new ProbeFailure('protocol', `the server cannot be understood: ${error.message}`);
}
