import type { ClientRequest, IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { type Outcome, fail } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { VERSION } from '../../src/core/version.ts';
import { type Connection, dial } from '../wire/dial.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { withCertificate } from '../wire/tls.ts';
import { LARGEST_MESSAGE, converse } from './converse.ts';
import { paced } from './paced.ts';
import { failureOf, watchEnding } from './reason.ts';
import { type WebsocketSettings, originOf, settings } from './settings.ts';
import { headOf } from './shown.ts';

const MOST_FRAGMENTS = 1_024;
const MOST_INTERIM = 50;

/** The upgrade to a WebSocket, and where it is asked for a message and its answer. */
export const websocket: Probe<WebsocketSettings> = {
  kind: 'websocket',
  settings,
  peer: ({ url, address }) => address ?? originOf(url),

  async attempt(settings, context) {
    const { url, address, family, tls } = settings;
    const { secure, host, port } = originOf(url);
    try {
      // Before there is a connection that would have to wait for it.
      const { WebSocket } = await import('ws');
      const connection = await dial(address ?? { host, port }, context, {
        family: family === 'any' ? 0 : family,
        ...(secure && { tls: { settings: tls ?? { insecure: false }, host, alpn: ['http/1.1'] } }),
      });
      try {
        return withCertificate(await talk(connection, WebSocket, settings, context), connection.certificate);
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

async function talk(
  connection: Connection,
  Socket: typeof WebSocket,
  settings: WebsocketSettings,
  context: ProbeContext,
): Promise<Outcome> {
  const { url, headers, subprotocol = [] } = settings;
  const { enter, trace } = context;
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  enter('send');
  const ending = watchEnding(connection);
  const stream = paced(connection.socket);
  let request: ClientRequest | undefined;
  const socket = new Socket(url, subprotocol, {
    createConnection: () => stream,
    headers: { ...(!names.has('user-agent') && { 'user-agent': `vitald/${VERSION}` }), ...headers },
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
    autoPong: false,
    ...LIMITS,
    finishRequest: (made: ClientRequest) => {
      request = made;
      trace?.({ kind: 'sent', what: 'request', text: headOf(made) });
      made.end();
    },
  });
  // What fails after the outcome is known must not end the process.
  socket.on('error', () => {});
  enter('wait');
  try {
    return await upgrade(socket, request, context, () =>
      converse(socket, { stream, ending }, settings, context),
    );
  } catch (error) {
    // After an abort it is the abort that is thrown.
    throw context.signal.aborted ? error : failureOf(error as Error, ending);
  } finally {
    socket.terminate();
  }
}

/** Beyond what the types of ws know. */
const LIMITS = { maxFragments: MOST_FRAGMENTS, maxBufferedChunks: 16 * MOST_FRAGMENTS };

/** `onOpen` is called at once: what comes in the same packet as the upgrade must find its listeners. */
function upgrade(
  socket: WebSocket,
  request: ClientRequest | undefined,
  { enter, signal, trace }: ProbeContext,
  onOpen: () => Promise<Outcome>,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const tell = (response: IncomingMessage): void => {
      enter('receive');
      trace?.({ kind: 'received', what: 'response', text: headOf(response) });
    };
    let interim = 0;
    request?.on('information', () => {
      if (++interim > MOST_INTERIM) reject(new ProbeFailure('protocol', 'interim answers without an end'));
    });
    socket.once('upgrade', tell);
    socket.once('open', () => {
      trace?.({ kind: 'rule', rule: 'upgrade', passed: true, value: '101' });
      resolve(onOpen());
    });
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      const { statusCode: status = 0, statusMessage = '' } = response;
      tell(response);
      trace?.({ kind: 'rule', rule: 'upgrade', passed: false, value: String(status) });
      resolve(
        status === 101
          ? fail('protocol', 'status 101, which upgrades to nothing', { status })
          : fail('status', `status ${status}, no upgrade: ${statusMessage.slice(0, 100)}`, { status }),
      );
    });
    socket.once('error', reject);
    socket.once('close', () => {
      reject(
        signal.aborted ? (signal.reason as Error) : new ProbeFailure('closed', 'closed before the upgrade'),
      );
    });
  });
}
