import { type HookSpec, OPENING_OF } from '../core/hook.ts';
import type { Courier } from './courier.ts';
import type { Delivery } from './delivery.ts';
import type { Gatherer } from './gatherer.ts';

/** Deliveries that wait, over all targets and hooks. */
export const MOST_WAITING = 10_000;

/** All that has not been delivered, in the order in which it came: gathered for a message, or on its way in one. */
export interface Waiting {
  add(spec: HookSpec, delivery: Delivery): void;
  /** It is through, or given up. */
  end(delivery: Delivery): void;
  /** Takes back what is not under way at this moment. */
  withdraw(delivery: Delivery): boolean;
  /** Takes back the oldest beginning, or reminder; an end is never given up. */
  dropOldest(): Delivery | undefined;
  isFull(): boolean;
}

export function createWaiting(
  gatherer: Pick<Gatherer, 'add' | 'withdraw'>,
  courier: Pick<Courier, 'withdraw'>,
): Waiting {
  const all = new Set<Delivery>();

  function end(delivery: Delivery): void {
    all.delete(delivery);
    if (delivery.repeats) delivery.repeats.reminder = undefined;
  }

  function withdraw(delivery: Delivery): boolean {
    if (!gatherer.withdraw(delivery) && !courier.withdraw(delivery)) return false;
    end(delivery);
    return true;
  }

  return {
    add({ groupingMs }, delivery) {
      all.add(delivery);
      gatherer.add(delivery, groupingMs);
    },
    end,
    withdraw,
    dropOldest() {
      for (const delivery of all) {
        if (OPENING_OF[delivery.event.event] === undefined && withdraw(delivery)) return delivery;
      }
      return undefined;
    },
    isFull: () => all.size >= MOST_WAITING,
  };
}
