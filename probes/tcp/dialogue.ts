import type { ProbeContext } from '../../src/core/probe.ts';
import { type Connection, secure } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import type { TlsSettings } from '../wire/tls.ts';
import { type Hearing, createHearing } from '../wire/hearing.ts';
import { LINE_FEED, QUIET_MS, RULES, type Rules, failureOf, listen } from './listen.ts';
import type { Step } from './settings.ts';
import { legible, sent } from '../wire/shown.ts';

export interface Dialogue {
  /** Says its part and hears the answer. `where` comes before the names of its rules in the trace. */
  take(step: Step, where: string): Promise<void>;
  /** What carries the dialogue: another connection than at first once TLS has started. */
  connection(): Connection;
  /** Where TLS is up, its settings. */
  tls(): TlsSettings | undefined;
  /** Whether anything was listened for since the connection, or TLS over it, was up. */
  hasListened(): boolean;
}

/** `host` is whom the certificate must be for where TLS starts on the way. */
export function startDialogue(
  first: Connection,
  host: string,
  firstTls: TlsSettings | undefined,
  context: ProbeContext,
): Dialogue {
  const { enter, trace } = context;
  let connection = first;
  let tls = firstTls;
  let hearing: Hearing | undefined;
  let usedUp: Buffer = Buffer.alloc(0);
  /** Whether the peer has ended a line: then it will also end the one that it is in. */
  let speaksInLines = false;

  /** Until all is sent; where an answer is expected, no longer than until there is one: some do not hear us out. */
  async function say(bytes: Buffer, where: string, thenListens: boolean): Promise<void> {
    enter('send');
    trace?.({ kind: 'sent', what: nameOf(where), text: sent(bytes) });
    const written = write(connection, bytes, context);
    if (!thenListens) return await written;
    hearing ??= createHearing(connection, context);
    await Promise.race([written, hearing.more(Infinity)]);
  }

  async function hear(rules: Rules, where: string): Promise<void> {
    hearing ??= createHearing(connection, context);
    try {
      const tell =
        trace &&
        ((rule: string, passed: boolean, value: string): void =>
          trace({ kind: 'rule', rule: `${where}${rule}`, passed, value }));
      usedUp = await listen(hearing, rules, context, tell);
      trace?.({ kind: 'received', what: nameOf(where), text: legible(usedUp) });
      speaksInLines ||= usedUp.includes(LINE_FEED) || hearing.heard().includes(LINE_FEED);
    } catch (error) {
      trace?.({ kind: 'received', what: nameOf(where), text: legible(hearing.heard()) });
      throw error;
    }
  }

  async function startTls(settings: TlsSettings): Promise<void> {
    hearing ??= createHearing(connection, context);
    await endOfReply(hearing);
    hearing.stop();
    trace?.({ kind: 'note', text: 'TLS starts' });
    connection = await secure(connection, { settings, host }, context);
    tls = settings;
    hearing = undefined;
    usedUp = Buffer.alloc(0);
  }

  /**
   * The reply that TLS follows may have more to its line than was expected. What comes after it and is not TLS may have
   * been slipped in on the way (CVE-2011-0411, CVE-2021-23214): it is refused, not taken for what TLS would carry.
   */
  async function endOfReply(hearing: Hearing): Promise<void> {
    // What has arrived by now is read in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    const inLine = usedUp.length > 0 && usedUp.at(-1) !== LINE_FEED;
    if (inLine) {
      const until = context.clock.now() + QUIET_MS;
      const awaited = (): boolean =>
        !hearing.heard().includes(LINE_FEED) && (speaksInLines || hearing.heard().length > 0);
      while (awaited() && !hearing.ending() && (await hearing.more(until)));
      hearing.useUp(hearing.heard().indexOf(LINE_FEED) + 1);
    }
    const ending = hearing.ending();
    if (ending) throw failureOf(ending, hearing.heard());
    if (hearing.heard().length > 0) {
      throw new ProbeFailure('protocol', 'the peer sent more before TLS than its answer');
    }
  }

  return {
    async take({ send, send_hex, starttls, ...rules }, where) {
      if (starttls) await startTls(starttls);
      const listens = RULES.some((rule) => rules[rule]);
      const bytes = send_hex ?? (send === undefined ? undefined : Buffer.from(send, 'utf8'));
      if (bytes) await say(bytes, where, listens);
      if (listens) await hear(rules, where);
    },
    connection: () => connection,
    tls: () => tls,
    hasListened: () => hearing !== undefined,
  };
}

/** `steps[0].` -> `steps[0]` */
function nameOf(where: string): string {
  return where === '' ? 'tcp' : where.slice(0, -1);
}

function write({ socket }: Connection, bytes: Buffer, { signal }: ProbeContext): Promise<void> {
  return new Promise((resolve, reject) => {
    // A peer that does not read leaves the write open for ever; it ends with the connection.
    const closed = (): void =>
      reject(
        signal.aborted
          ? (signal.reason as Error)
          : new ProbeFailure('closed', 'the connection was closed while we were sending'),
      );
    socket.once('error', reject);
    socket.once('close', closed);
    socket.write(bytes, (error: NodeJS.ErrnoException | null | undefined) => {
      socket.removeListener('error', reject);
      socket.removeListener('close', closed);
      // Where the socket is destroyed under it, Node 20 calls a write done, and Node 22 calls it cancelled.
      if (error && error.code !== 'ECANCELED') reject(error);
      else if (error || socket.destroyed) closed();
      else resolve();
    });
  });
}
