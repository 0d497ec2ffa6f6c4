import type { Clock } from '../../src/core/clock.ts';
import type { Connection } from './dial.ts';

/**
 * Connections that outlive their attempt, for `connection: reuse`: one for each settings and origin. While it waits, it
 * keeps no process running; it is closed when it has waited for too long, and when the peer says anything at all.
 */
const IDLE_MS = 120_000;
/** Names are looked up and certificates are seen at a connect only: none is kept for so long that a change goes unseen. */
const MOST_MS = 300_000;

/** What is kept: a connection, and for HTTP/2 the session that runs over it. */
export interface Keepable {
  readonly connection: Connection;
  /** Where the connection may say things while nobody asks (HTTP/2 does); it alone tells of its end then. */
  readonly speaksUnasked?: boolean;
  /** Closes it for good; the connection's own close where nothing else has to go first. */
  close?(): void;
}

interface Kept<T> {
  readonly thing: T;
  readonly since: number;
  /** Ends the wait: nothing watches it any more. */
  leave(): void;
}

export interface Keep<T> {
  /** The connection that waits here, if one does. It belongs to the attempt from now on. */
  take(owner: object, origin: string, signal: AbortSignal, clock: Clock): T | undefined;
  /** Lets it wait for the next attempt. One that has seen its time, or is not needed, is closed. */
  put(owner: object, origin: string, thing: T, clock: Clock): void;
}

export function createKeep<T extends Keepable>(): Keep<T> {
  /** The settings go with the configuration that they are from, and what is kept for them when it has waited. */
  const owners = new WeakMap<object, Map<string, Kept<T>>>();
  const made = new WeakMap<Connection, number>();

  return {
    take(owner, origin, signal, clock) {
      const kept = owners.get(owner)?.get(origin);
      if (!kept) return undefined;
      kept.leave();
      if (clock.now() - kept.since < MOST_MS) {
        kept.thing.connection.resume(signal);
        return kept.thing;
      }
      closeThing(kept.thing);
      return undefined;
    },

    put(owner, origin, thing, clock) {
      const { connection } = thing;
      const now = clock.now();
      const since = made.get(connection) ?? now;
      made.set(connection, since);
      const origins = owners.get(owner) ?? new Map<string, Kept<T>>();
      owners.set(owner, origins);
      if (origins.has(origin) || connection.socket.destroyed || connection.socket.readableEnded) {
        closeThing(thing);
        return;
      }
      const stop = watch(thing, drop);
      origins.set(origin, { thing, since, leave });
      connection.park(IDLE_MS, drop);

      function leave(): void {
        stop();
        origins.delete(origin);
      }
      function drop(): void {
        leave();
        closeThing(thing);
      }
    },
  };
}

function closeThing({ connection, close }: Keepable): void {
  if (close) close();
  else connection.close();
}

/** Calls back when it is of no more use. */
function watch({ connection: { socket }, speaksUnasked = false }: Keepable, drop: () => void): () => void {
  // A listener for data also keeps the socket flowing, and only one that flows tells of its end.
  const signs = ['end', 'close', 'error', ...(speaksUnasked ? [] : ['data'])];
  for (const sign of signs) socket.on(sign, drop);
  return () => {
    for (const sign of signs) socket.removeListener(sign, drop);
  };
}
