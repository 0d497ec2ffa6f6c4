import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Facts, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { formatSize } from '../../src/core/units.ts';
import { shortestReach } from '../../src/schema/pattern.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { legible, shown } from '../wire/shown.ts';
import type { Ending } from './reason.ts';
import type { WebsocketSettings } from './settings.ts';

/** How long the server has for its part of the closing handshake, ms; the outcome stands by then. */
const CLOSE_MS = 200;
export const LARGEST_MESSAGE = 64 * 1_024;
const MOST_MESSAGES = 1_000;
const MOST_PINGS = 100;
/** A look that took longer than this, ms, is followed by a pause of so many times as much. What has come is not held back. */
const LONG_LOOK_MS = 5;
const PAUSES = 10;

/** What carries the WebSocket. */
interface Below {
  readonly stream: Duplex;
  readonly ending: Ending;
}

/** On an open connection: sends, listens, and closes as one should. */
export async function converse(
  socket: WebSocket,
  below: Below,
  settings: WebsocketSettings,
  context: ProbeContext,
): Promise<Outcome> {
  const { send, send_hex, expect, expect_not } = settings;
  const { enter, trace } = context;
  const facts: Facts = socket.protocol === '' ? {} : { subprotocol: socket.protocol };
  const message = send_hex ?? send;
  const listens = expect !== undefined || expect_not !== undefined;
  const answer = listens ? listen(socket, below, settings, context) : undefined;
  // It may fail while we still send.
  answer?.catch(() => {});
  if (message !== undefined) {
    enter('send');
    trace?.({ kind: 'sent', what: 'message', text: legible(Buffer.from(message)) });
    socket.send(message);
  }
  if (!answer) {
    await close(socket, context);
    return ok(message === undefined ? 'upgraded' : 'upgraded and sent', facts);
  }
  enter('wait');
  const miss = await answer;
  await close(socket, context);
  return miss === undefined ? ok('the answer is as expected', facts) : fail('mismatch', miss, facts);
}

/** Until a message is as expected (undefined), or is as none may be (what it is). */
function listen(
  socket: WebSocket,
  { stream, ending }: Below,
  { expect, expect_not }: WebsocketSettings,
  { clock, enter, signal, trace }: ProbeContext,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let messages = 0;
    let pings = 0;
    let goOn = (): void => {};
    function pause(ms: number): void {
      goOn();
      socket.pause();
      const cancel = clock.schedule(clock.now() + ms, () => goOn());
      goOn = () => {
        goOn = () => {};
        cancel();
        socket.resume();
      };
    }
    stream.once('close', () => goOn());
    // The server has closed, and ws has answered: it would wait for the connection to end, which is up to the server.
    const onFinish = (): void => void stream.destroy();
    stream.once('finish', onFinish);
    socket.on('ping', (data: Buffer) => {
      if (++pings > MOST_PINGS) reject(new ProbeFailure('protocol', 'the server sends pings without an end'));
      else socket.pong(data);
    });
    socket.on('message', (data: Buffer) => {
      enter('receive');
      trace?.({ kind: 'received', what: 'message', text: legible(data) });
      const value = shown(data);
      const lookedAt = clock.now();
      const unwanted = expect_not !== undefined && expect_not.endOfMatch(data) !== undefined;
      const wanted = expect === undefined || expect.endOfMatch(data) !== undefined;
      const took = clock.now() - lookedAt;
      if (expect) trace?.({ kind: 'rule', rule: 'expect', passed: wanted, value });
      if (expect_not) trace?.({ kind: 'rule', rule: 'expect_not', passed: !unwanted, value });
      const limit = shortestReach([expect, expect_not], LARGEST_MESSAGE);
      if (data.length > limit && !unwanted && (!wanted || expect_not)) {
        reject(new ProbeFailure('too_large', `no match in the first ${formatSize(limit)} of a message`));
      } else if (unwanted || wanted) {
        stream.removeListener('finish', onFinish);
        goOn();
        resolve(unwanted ? `a message matches /${expect_not.source}/` : undefined);
      } else if (++messages >= MOST_MESSAGES) {
        reject(new ProbeFailure('too_large', `no match in the first ${MOST_MESSAGES} messages`));
      } else if (took > LONG_LOOK_MS) {
        pause(took * PAUSES);
      }
    });
    socket.once('error', reject);
    socket.once('close', (code: number, why: Buffer) => {
      if (signal.aborted) return reject(signal.reason as Error);
      // 1006: there was no close frame.
      if (code === 1006) return reject(ending.before('the expected message'));
      const reason = why.length > 0 ? `: ${shown(why)}` : '';
      reject(
        new ProbeFailure('closed', `the server closed with ${code}${reason} before the expected message`),
      );
    });
  });
}

/** Asks the server to close, so that it need not take us for lost; it closes the connection then. */
function close(socket: WebSocket, { clock, deadline }: ProbeContext): Promise<void> {
  return new Promise((resolve) => {
    const now = clock.now();
    const cancel = clock.schedule(now + Math.min(CLOSE_MS, Math.max(0, deadline - now) / 2), resolve);
    const done = (): void => {
      cancel();
      resolve();
    };
    if (socket.readyState === socket.CLOSED) return done();
    socket.once('close', done);
    // A server that does not listen any more has still answered.
    socket.once('error', done);
    socket.close(1_000);
  });
}
