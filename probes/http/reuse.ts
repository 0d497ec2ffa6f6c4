import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../dial.ts';
import { createKeep } from '../keep.ts';
import type { Conversation } from './converse.ts';

export interface Over {
  readonly connection: Connection;
  readonly conversation: Conversation;
}

interface Reuse {
  /** The settings: connections are not shared beyond them. */
  readonly owner: object;
  readonly origin: string;
  readonly open: (context: ProbeContext) => Promise<Connection>;
  readonly talk: (connection: Connection, context: ProbeContext) => Promise<Conversation>;
}

const keep = createKeep();

/**
 * Talks over the connection that was kept, if there is one, else over a fresh one. A kept one may be dead without our
 * knowing: where it ends before a byte of an answer has come, or is silent for half of the time that is left, the request
 * goes out over a fresh one, and the first answer counts.
 */
export async function overKept(reuse: Reuse, context: ProbeContext): Promise<Over> {
  const over = await talkOver(reuse, context);
  if (over.conversation.reusable) keep.put(reuse.owner, reuse.origin, over, context.clock);
  else over.connection.close();
  return over;
}

async function talkOver(reuse: Reuse, context: ProbeContext): Promise<Over> {
  const { signal, clock, deadline, trace } = context;
  const connection = keep.take(reuse.owner, reuse.origin, signal, clock)?.connection;
  if (!connection) return await overFresh(reuse, context);
  trace?.({ kind: 'note', text: 'over the connection that was kept' });

  let heard = false;
  const first = talk(reuse, connection, {
    ...context,
    enter(phase) {
      heard ||= phase === 'receive';
      context.enter(phase);
    },
  });
  let cancel = (): void => {};
  const late = new Promise<undefined>((resolve) => {
    const now = clock.now();
    cancel = clock.schedule(now + (deadline - now) / 2, () => resolve(undefined));
  });
  try {
    const over = await Promise.race([first, late]);
    if (over) return over;
    if (heard) return await first;
  } catch (error) {
    if (heard || signal.aborted) throw error;
    trace?.({ kind: 'note', text: 'it was dead: once more over a fresh one' });
    return await overFresh(reuse, context);
  } finally {
    cancel();
  }
  trace?.({ kind: 'note', text: 'it is silent: once more over a fresh one' });
  return await race(first, connection, reuse, context);
}

/** The first answer of both; the other connection is closed. */
async function race(
  first: Promise<Over>,
  kept: Connection,
  reuse: Reuse,
  context: ProbeContext,
): Promise<Over> {
  const stop = new AbortController();
  const second = overFresh(reuse, { ...context, signal: AbortSignal.any([context.signal, stop.signal]) });
  try {
    const over = await Promise.any([first, second]);
    if (over.connection !== kept) kept.close();
    else stop.abort(new Error('the connection that was kept has answered'));
    return over;
  } catch {
    return await second;
  }
}

async function overFresh(reuse: Reuse, context: ProbeContext): Promise<Over> {
  return await talk(reuse, await reuse.open(context), context);
}

async function talk({ talk }: Reuse, connection: Connection, context: ProbeContext): Promise<Over> {
  try {
    return { connection, conversation: await talk(connection, context) };
  } catch (error) {
    connection.close();
    throw error;
  }
}
