import type { ProbeContext } from '../../src/core/probe.ts';
import type { Keep, Keepable } from './keep.ts';

/** One question over a connection, which may be kept from an attempt before and be kept for the next. */
export interface Asking<C extends Keepable, A> {
  readonly keep: Keep<C>;
  /** The settings: connections are not shared beyond them. */
  readonly owner: object;
  readonly origin: string;
  /** Whether one that waits is taken at all, and one that is good for another question is kept. */
  readonly reuse: boolean;
  open(context: ProbeContext): Promise<C>;
  /** Enters `receive` at the first of an answer. */
  ask(over: C, context: ProbeContext): Promise<A>;
  /** Whether it is good for another question, now that it has been asked. */
  reusable(over: C, answer: A): boolean;
  /** Whether it answers nobody's question: over a connection that was kept, it is dead then. */
  isFarewell?(answer: A): boolean;
}

interface Answered<C, A> {
  readonly over: C;
  readonly answer: A;
}

/**
 * Asks over the connection that was kept, if there is one, else over a fresh one. A kept one may be dead without our
 * knowing: where it ends before any of an answer has come, or is silent for half of the time that is left, the question
 * goes out over a fresh one, and the first answer counts.
 */
export async function askOver<C extends Keepable, A>(
  asking: Asking<C, A>,
  context: ProbeContext,
): Promise<Answered<C, A>> {
  const { keep, owner, origin, reuse } = asking;
  const answered = reuse ? await overKept(asking, context) : await overFresh(asking, context);
  const { over, answer } = answered;
  if (reuse && asking.reusable(over, answer)) keep.put(owner, origin, over, context.clock);
  else letGo(over);
  return answered;
}

async function overKept<C extends Keepable, A>(
  asking: Asking<C, A>,
  context: ProbeContext,
): Promise<Answered<C, A>> {
  const { signal, clock, deadline, trace } = context;
  const kept = asking.keep.take(asking.owner, asking.origin, signal, clock);
  if (!kept) return await overFresh(asking, context);
  trace?.({ kind: 'note', text: 'over the connection that was kept' });

  let heard = false;
  const first = ask(asking, kept, {
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
    const answered = (await Promise.race([first, late])) ?? (heard ? await first : undefined);
    if (answered && asking.isFarewell?.(answered.answer)) {
      letGo(kept);
      heard = false;
      throw new Error('it was given up by the peer');
    }
    if (answered) return answered;
  } catch (error) {
    if (heard || signal.aborted) throw error;
    trace?.({ kind: 'note', text: 'it was dead: once more over a fresh one' });
    return await overFresh(asking, context);
  } finally {
    cancel();
  }
  trace?.({ kind: 'note', text: 'it is silent: once more over a fresh one' });
  return await race(first, kept, asking, context);
}

/** Whichever answers first; what the fresh one says counts, even where it is that there is nobody. */
async function race<C extends Keepable, A>(
  first: Promise<Answered<C, A>>,
  kept: C,
  asking: Asking<C, A>,
  context: ProbeContext,
): Promise<Answered<C, A>> {
  const stop = new AbortController();
  const second = overFresh(asking, { ...context, signal: AbortSignal.any([context.signal, stop.signal]) });
  try {
    const firstUnlessDead = first.then((answered) => {
      if (!asking.isFarewell?.(answered.answer)) return answered;
      letGo(kept);
      return second;
    });
    const answered = await Promise.race([firstUnlessDead.catch(() => second), second]);
    if (answered.over !== kept) letGo(kept);
    else stop.abort(new Error('the connection that was kept has answered'));
    return answered;
  } catch (error) {
    letGo(kept);
    throw error;
  }
}

async function overFresh<C extends Keepable, A>(
  asking: Asking<C, A>,
  context: ProbeContext,
): Promise<Answered<C, A>> {
  return await ask(asking, await asking.open(context), context);
}

async function ask<C extends Keepable, A>(
  asking: Asking<C, A>,
  over: C,
  context: ProbeContext,
): Promise<Answered<C, A>> {
  try {
    return { over, answer: await asking.ask(over, context) };
  } catch (error) {
    letGo(over);
    throw error;
  }
}

function letGo({ connection, close }: Keepable): void {
  if (close) close();
  else connection.close();
}
