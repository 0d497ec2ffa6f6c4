import type { Facts } from './outcome.ts';

/** What a node said of itself when it last sent a beat. */
export interface BeatMessage {
  readonly says: 'ok' | 'warn' | 'fail';
  readonly message?: string;
  /** Grows from beat to beat, so that one that comes twice or late is known as such. */
  readonly seq?: number;
  /** Differs once the node has started anew: its sequence starts anew as well. */
  readonly boot?: string;
  readonly facts: Facts;
}

export interface Beat extends BeatMessage {
  /** Monotonic ms at which we had it: no clock but ours is believed. */
  readonly at: number;
}

/** What is known of a target that sends beats. */
export interface BeatWatch {
  /** Monotonic ms from which its beats could reach us. */
  readonly since: number;
  readonly last?: Beat;
}

/** What the heartbeat probe may see of the inbox. */
export interface BeatReader {
  /** Undefined where nothing listens for this target. */
  look(target: string): BeatWatch | undefined;
}

export type BeatVerdict =
  | { readonly taken: true }
  /** It is a repeat, or came late. */
  | { readonly taken: false; readonly why: string }
  /** There is no such target, not any more. */
  | 'unknown';

/** What became of a request to the listener. */
export interface BeatReport {
  readonly result: 'accepted' | 'ignored' | 'refused';
  /** One of a few words. */
  readonly why: string;
  /** Only where its token was right: what a stranger writes is not repeated. */
  readonly target?: string;
  /** The address that it came from. */
  readonly from?: string;
}

/** Why this beat is no news after the last one, or undefined where it is. */
export function staleBecause(last: BeatMessage | undefined, next: BeatMessage): string | undefined {
  if (last?.seq === undefined || next.seq === undefined) return undefined;
  if (next.boot !== undefined && next.boot !== last.boot) return undefined;
  return next.seq > last.seq ? undefined : `seq ${next.seq} is not above ${last.seq}`;
}

/** The beat that is remembered: a sequence goes on over a beat without a number. */
export function following(last: BeatMessage | undefined, next: Beat): Beat {
  if (last === undefined) return next;
  const boot = next.boot ?? last.boot;
  const seq = next.seq ?? (boot === last.boot ? last.seq : undefined);
  return { ...next, ...(seq !== undefined && { seq }), ...(boot !== undefined && { boot }) };
}
