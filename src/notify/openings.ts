import type { Cancel } from '../core/clock.ts';
import type { HookEvent, HookEventName } from '../core/hook.ts';
import { type Delivery, keyOf } from './delivery.ts';

/** What a hook was told, or is to be told, and has not been told the end of. */
export interface Opening {
  readonly hook: string;
  readonly event: HookEvent;
  readonly row: string;
  /** `dropped`: there was no room for it, so nobody has to be told of its end. */
  state: 'waiting' | 'told' | 'dropped';
  /** Monotonic ms of when it was last spoken of. */
  toldAt: number;
  /** A reminder of it that is on its way. */
  reminder: Delivery | undefined;
  cancelReminder: Cancel;
}

/** All of them, found by hook, the key of whom it is of, and what it opened with. */
export interface Openings {
  add(opening: Opening): void;
  /** Takes it out. */
  close(hook: string, subject: string, opening: HookEventName): Opening | undefined;
  /** Hooks that have to hear the end of it, whether or not the target still names them. */
  hooksOf(subject: string, opening: HookEventName): string[];
  of(delivery: Pick<Delivery, 'hook' | 'event'>): Opening | undefined;
  /** Another one that this event would take the place of. */
  before(hook: string, event: HookEvent): Opening | undefined;
  all(): Opening[];
}

export function createOpenings(): Openings {
  /** By whom it is of, then by hook and event. */
  const subjects = new Map<string, Map<string, Opening>>();

  function find(hook: string, subject: string, name: HookEventName): Opening | undefined {
    return subjects.get(subject)?.get(`${hook}\n${name}`);
  }

  return {
    add(opening) {
      const subject = keyOf(opening.event);
      const those = subjects.get(subject) ?? new Map<string, Opening>();
      const key = `${opening.hook}\n${opening.event.event}`;
      those.get(key)?.cancelReminder();
      subjects.set(subject, those.set(key, opening));
    },
    close(hook, subject, opening) {
      const found = find(hook, subject, opening);
      if (!found) return undefined;
      found.cancelReminder();
      const those = subjects.get(subject)!;
      those.delete(`${hook}\n${opening}`);
      if (those.size === 0) subjects.delete(subject);
      return found;
    },
    hooksOf: (subject, opening) =>
      [...(subjects.get(subject)?.values() ?? [])]
        .filter(({ event }) => event.event === opening)
        .map(({ hook }) => hook),
    of({ hook, event }) {
      const found = find(hook, keyOf(event), event.event);
      return found?.event.id === event.id ? found : undefined;
    },
    before(hook, event) {
      const found = find(hook, keyOf(event), event.event);
      return found?.event.id === event.id ? undefined : found;
    },
    all: () => [...subjects.values()].flatMap((those) => [...those.values()]),
  };
}
