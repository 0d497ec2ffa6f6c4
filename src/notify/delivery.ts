import type { HookEvent, HookSpec } from '../core/hook.ts';
import type { Subject } from '../core/pause.ts';
import type { Opening } from './openings.ts';

/** One event on its way to one hook. */
export interface Delivery {
  readonly hook: string;
  readonly event: HookEvent;
  /** Its row in the store; null where it is not worth one: the next reminder comes anyway. */
  readonly row: string | null;
  /** What it repeats, where it is a reminder. */
  readonly repeats?: Opening;
  /** Only what goes wrong with it is told: it repeats what the receiver knows, so that it does not lapse there. */
  readonly quiet: boolean;
  /** Monotonic ms after which it is not tried again. */
  readonly giveUpAt: number;
}

/** What is sent at once: an event, or several that were gathered. */
export interface Message {
  readonly hook: string;
  readonly deliveries: Delivery[];
  readonly lanes: readonly string[];
  /** `running` holds a place of its hook; `ready` waits for one; `blocked` is not the first in its lanes. */
  phase: 'blocked' | 'ready' | 'running' | 'paused';
  tries: number;
  /** What the last try came to. */
  said: string;
  /** Monotonic ms of the first try. */
  startedAt: number;
  endPause: () => void;
}

export function messageOf(deliveries: readonly [Delivery, ...Delivery[]]): Message {
  const [{ hook }] = deliveries;
  return {
    hook,
    deliveries: [...deliveries],
    lanes: [...new Set(deliveries.map(({ event }) => `${hook}\n${keyOf(event)}`))],
    phase: 'blocked',
    tries: 0,
    said: '',
    startedAt: 0,
    endPause: () => {},
  };
}

/** Whom an event is of. */
export function subjectOf({ kind, target, group }: HookEvent): Subject {
  return { ...(kind === 'group' && { kind }), name: target, ...(group !== null && { group }) };
}

export function keyOf(event: HookEvent): string {
  return subjectKey(subjectOf(event));
}

/** A group may be called as a target is. */
export function subjectKey({ kind, name }: Pick<Subject, 'kind' | 'name'>): string {
  return kind === undefined ? name : `${kind}\n${name}`;
}

/** How a message ended: taken by its receiver, or not. */
export interface End {
  readonly ok: boolean;
  readonly detail: string;
  readonly tries: number;
  readonly ms: number;
}

export type Specs = ReadonlyMap<string, HookSpec>;

/** The event that a hook is fired with. */
export function eventOf({ deliveries }: Message): HookEvent {
  const [first, ...others] = deliveries.map(({ event }) => event);
  return others.length === 0 ? first! : { ...first!, also: others };
}
