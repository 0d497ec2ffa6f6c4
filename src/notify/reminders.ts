import type { Clock } from '../core/clock.ts';
import type { HookEvent, HookSpec } from '../core/hook.ts';
import type { Delivery } from './delivery.ts';
import type { Opening } from './openings.ts';
import { reminderEvent } from './follow-ups.ts';

/** Tells again what lasts: to remind people, or because it lapses at the receiver. */
export interface Reminders {
  /** Plans the next one, by the newest definition of the hook; called again, it plans anew. */
  plan(opening: Opening): void;
}

export interface RemindersOptions {
  readonly clock: Clock;
  readonly specOf: (hook: string) => HookSpec | undefined;
  readonly isHushed: (event: HookEvent) => boolean;
  readonly hasRoom: () => boolean;
  readonly onDue: (delivery: Delivery & { readonly repeats: Opening }) => void;
}

export function createReminders(options: RemindersOptions): Reminders {
  const { clock, specOf, isHushed, hasRoom, onDue } = options;

  function plan(opening: Opening): void {
    opening.cancelReminder();
    const repeat = specOf(opening.hook)?.repeat;
    if (!repeat || opening.state !== 'told') return;
    // Nobody has to be woken up again by what is merely degraded.
    if (repeat.why === 'reminder' && opening.event.event !== 'down') return;
    opening.cancelReminder = clock.schedule(opening.toldAt + repeat.everyMs, () => {
      opening.toldAt = clock.now();
      remind(opening, repeat);
      plan(opening);
    });
  }

  function remind(opening: Opening, { why, everyMs }: NonNullable<HookSpec['repeat']>): void {
    const { hook, event: opened } = opening;
    const quiet = why === 'refresh';
    const isHeldBack = !quiet && isHushed(opened);
    if (opening.reminder || isHeldBack || !hasRoom()) return;
    const event = quiet ? opened : reminderEvent(opened, clock.wallTime());
    const reminder = { hook, event, row: null, repeats: opening, quiet, giveUpAt: clock.now() + everyMs };
    opening.reminder = reminder;
    onDue(reminder);
  }

  return { plan };
}
