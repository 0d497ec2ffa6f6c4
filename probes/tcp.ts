import { z } from 'zod';
import { type TLSSocket } from 'node:tls';
import { type Outcome, fail, ok } from '../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../src/core/probe.ts';
import { filePath } from '../src/schema/file.ts';
import { pattern } from '../src/schema/pattern.ts';
import { address, text, withShortForm } from '../src/schema/scalars.ts';
import { formatSize } from '../src/core/units.ts';
import { type Connection, dial } from './dial.ts';
import { ProbeFailure, outcomeOf } from './reason.ts';
import { type TlsSettings, tlsChoice, withCertificate } from './tls.ts';

/** What a peer may say before the pattern has matched. */
const MAX_ANSWER = 64 * 1024;
/** Matching runs over all that has come; a peer that trickles is looked at no more often than this, ms. */
const MATCH_EVERY_MS = 10;
/** How long after its first words a peer without `expect` may still say something unwanted, ms. */
const QUIET_MS = 50;
/** How long a TLS 1.3 server has for refusing our certificate after the handshake seemed done, ms. */
const REFUSAL_MS = 200;

const keys = z
  .strictObject({
    address: address().optional(),
    unix: filePath().optional(),
    tls: tlsChoice(),
    send: text().optional(),
    expect: pattern().optional(),
    expect_not: pattern().optional(),
  })
  .refine(({ address, unix }) => (address === undefined) !== (unix === undefined), {
    error: 'tcp takes either address or unix',
  });

type TcpSettings = z.infer<typeof keys>;

export const tcp: Probe<TcpSettings> = {
  kind: 'tcp',
  settings: withShortForm(['scalar'], (address) => ({ address }), keys),
  host: ({ address }) => address?.host,

  async attempt(settings, context) {
    try {
      const { address, unix, tls } = settings;
      const connection = await dial(address ?? { unix: unix! }, context, {
        tls: tls && { settings: tls, host: address?.host ?? 'localhost' },
      });
      try {
        return withCertificate(await talk(connection, settings, context), connection.certificate);
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

async function talk(connection: Connection, settings: TcpSettings, context: ProbeContext): Promise<Outcome> {
  if (settings.send !== undefined) {
    context.enter('send');
    await write(connection, settings.send);
  }
  if (!settings.expect && !settings.expect_not) {
    if (settings.tls) await survivesRefusal(connection.socket as TLSSocket, settings.tls, context);
    const done = settings.send === undefined ? 'connected' : 'connected and sent';
    return ok(settings.tls ? `${done}, TLS is up` : done);
  }
  const miss = await listen(connection, settings, context);
  return miss === undefined ? ok('the answer is as expected') : fail('mismatch', miss);
}

function write({ socket }: Connection, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    // A peer that does not read leaves the write open for ever; it ends with the connection.
    socket.once('close', () =>
      reject(new ProbeFailure('closed', 'the connection was closed while we were sending')),
    );
    socket.write(data, 'utf8', (error) => {
      socket.removeListener('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * In TLS 1.3 the client is done before the server has seen its certificate: the refusal comes as an alert afterwards.
 * A session ticket says that none will come, but where we showed a certificate: some servers look at it that late.
 */
function survivesRefusal(
  socket: TLSSocket,
  tls: TlsSettings,
  { clock, deadline }: ProbeContext,
): Promise<void> {
  if (socket.getProtocol() !== 'TLSv1.3') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const now = clock.now();
    const cancel = clock.schedule(now + Math.min(REFUSAL_MS, (deadline - now) / 2), resolve);
    const settle = (act: () => void): void => {
      cancel();
      act();
    };
    if (tls.cert === undefined) socket.once('session', () => settle(resolve));
    socket.once('data', () => settle(resolve));
    socket.once('error', (error) => settle(() => reject(error)));
    const closed = (): void =>
      settle(() => reject(new ProbeFailure('closed', 'closed right after the TLS handshake')));
    socket.once('end', closed);
    socket.once('close', closed);
  });
}

/**
 * Reads until the rules are decided; the rule that was missed, in words, or undefined. `expect_not` fails as soon as it
 * is seen; alone, it is satisfied once the peer has spoken and gone quiet.
 */
function listen(
  { socket, wasReset }: Connection,
  { expect, expect_not }: TcpSettings,
  { enter, clock, signal }: ProbeContext,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let heard: Buffer = Buffer.alloc(0);
    let lastLook = -Infinity;
    let cancel = (): void => {};

    function settle(act: () => void): void {
      cancel();
      socket.removeAllListeners('data');
      act();
    }
    /** Looks at all that has come; true once decided. */
    function look(): boolean {
      lastLook = clock.now();
      const said = heard.toString('utf8');
      if (expect_not?.matches(said)) settle(() => resolve(`the answer matches /${expect_not.source}/`));
      else if (expect?.matches(said)) settle(() => resolve(undefined));
      else if (heard.length >= MAX_ANSWER)
        settle(() =>
          reject(new ProbeFailure('too_large', `no match in the first ${formatSize(MAX_ANSWER)}`)),
        );
      else return false;
      return true;
    }
    function onData(chunk: Buffer): void {
      if (heard.length === 0) enter('receive');
      heard = Buffer.concat([heard, chunk]);
      cancel();
      const now = clock.now();
      if (now - lastLook < MATCH_EVERY_MS && heard.length < MAX_ANSWER) {
        cancel = clock.schedule(lastLook + MATCH_EVERY_MS, afterLook);
      } else afterLook();
    }
    function afterLook(): void {
      if (look() || expect) return;
      cancel = clock.schedule(clock.now() + QUIET_MS, () => settle(() => resolve(undefined)));
    }
    function onClose(): void {
      if (signal.aborted) return settle(() => reject(signal.reason as Error));
      if (look()) return;
      const lost = wasReset();
      if (!expect && heard.length > 0 && !lost) return settle(() => resolve(undefined));
      const how = lost ? 'reset' : 'closed';
      const what = heard.length === 0 ? 'without a word' : 'before the expected answer';
      settle(() => reject(new ProbeFailure(how, `the peer ${how} the connection ${what}`)));
    }
    enter('wait');
    socket.on('data', onData);
    socket.once('end', onClose);
    socket.once('close', onClose);
    socket.once('error', (error) => settle(() => reject(error)));
  });
}
