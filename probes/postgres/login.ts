import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Client as PgClient } from 'pg';
import { type Facts, type Outcome } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { farewell } from '../sql/door.ts';
import { type Answer, judgeAnswer } from '../sql/judge.ts';
import type { SqlSettings } from '../sql/settings.ts';
import { createWire } from '../sql/wire.ts';
import { createGauge } from './gauge.ts';
import { factsOf, judgeError } from './judge.ts';
import { TERMINATE } from './messages.ts';

const DEFAULT_QUERY = 'SELECT 1';

/** What pg tells of on its way to the login. */
const ASKS_FOR_PASSWORD = [
  'authenticationCleartextPassword',
  'authenticationMD5Password',
  'authenticationSASL',
];

type Client = { readonly Client: typeof PgClient };

/** Loaded by the first target that logs in. */
export async function loadClient(): Promise<Client> {
  const { default: pg } = await import('pg');
  return pg;
}

/** Logs in and asks the query: the client `pg`, over our connection. */
export async function login(
  { Client }: Client,
  connection: Connection,
  user: string,
  settings: SqlSettings,
  context: ProbeContext,
): Promise<Outcome> {
  const { enter, trace } = context;
  const { password, database, query = DEFAULT_QUERY } = settings;
  const wire = createWire(connection, context, { onReceive: createGauge() });
  const client = new Client({
    stream: () => connected(wire.stream),
    user,
    // A function: without a text of its own, pg looks for one in the environment and in ~/.pgpass.
    password: () => password ?? '',
    database: database ?? user,
    host: 'localhost',
    port: 5432,
    ssl: false,
    sslnegotiation: 'postgres',
    application_name: 'vitald',
  });
  client.on('error', () => {});
  const parameters = new Map<string, string>();
  const { connection: protocol } = client as unknown as { readonly connection: EventEmitter };
  protocol.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  protocol.once('message', () => enter('receive'));
  /** What the server understands as an orderly end by then. */
  let goodbye: Buffer | 'end' | 'wait' = 'wait';
  const asksInVain = new Promise<never>((_resolve, reject) => {
    if (password !== undefined) return;
    for (const event of ASKS_FOR_PASSWORD) {
      protocol.once(event, () => {
        goodbye = 'end';
        reject(new ProbeFailure('status', 'the server asks for a password, and none is written'));
      });
    }
  });

  async function ask(): Promise<Answer> {
    await client.connect();
    goodbye = TERMINATE;
    trace?.({ kind: 'note', text: `logged in as ${user}` });
    trace?.({ kind: 'sent', what: 'postgres', text: query });
    const result = await client.query({ text: query, rowMode: 'array', types: { getTypeParser: parserOf } });
    const last = [result].flat().at(-1)!;
    return { columns: last.fields.map(({ name }) => name), row: last.rows[0] as unknown[] | undefined };
  }
  try {
    enter('wait');
    trace?.({ kind: 'sent', what: 'postgres', text: `StartupMessage 3.0, user ${user}` });
    const answer = await Promise.race([ask(), asksInVain, wire.broken]);
    return judgeAnswer(answer, settings, factsOf(parameters), trace);
  } catch (error) {
    return outcomeOfClient(error, factsOf(parameters));
  } finally {
    wire.stop();
    await farewell(connection, context, goodbye);
    wire.stream.destroy();
  }
}

/** A stream as pg wants it: it connects when it is told to, which has been done. */
function connected(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  return Object.assign(stream, {
    connect: () => {
      queueMicrotask(() => stream.emit('connect'));
      return stream;
    },
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
  });
}

/** Types by their OID: int8, int2, int4, oid, float4, float8, numeric. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);
const BOOLEAN = 16;

/** Everything else stays the text that it came as. */
function parserOf(oid: number): (text: string) => string | number | boolean {
  if (oid === BOOLEAN) return (text) => text === 't';
  if (!NUMBERS.has(oid)) return (text) => text;
  return (text) => {
    const value = Number(text);
    return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : text;
  };
}

/** pg throws what the server said, what the socket said, and what it thinks of the protocol. */
function outcomeOfClient(error: unknown, facts: Facts): Outcome {
  if (!(error instanceof Error) || error instanceof ProbeFailure) throw error;
  const { code, severity } = error as { readonly code?: string; readonly severity?: string };
  if (severity !== undefined && code !== undefined)
    return judgeError({ code, message: error.message }, facts);
  if (code?.startsWith('E')) throw error;
  throw new ProbeFailure('protocol', `the server cannot be understood: ${error.message}`);
}
