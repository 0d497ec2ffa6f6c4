import type { Cancel, Clock } from '../core/clock.ts';
import type { Delivery } from './delivery.ts';

/**
 * Makes few messages of many events. The first event goes out at once, and with it what comes in the same moment; what
 * follows within the hook's `grouping` goes out together at its end. So one failure is told without delay, and a storm in
 * one message each time. A reminder is in no hurry: it waits for others first.
 */
export interface Gatherer {
  /** `groupingMs` 0: each event is a message. */
  add(delivery: Delivery, groupingMs: number): void;
  /** Takes back what has not gone out. */
  withdraw(delivery: Delivery): boolean;
  /** Everything goes out now. */
  flush(): void;
}

export interface GathererOptions {
  readonly clock: Clock;
  readonly send: (deliveries: readonly [Delivery, ...Delivery[]]) => void;
}

interface Round {
  readonly gathered: Delivery[];
  readonly groupingMs: number;
  cancel: Cancel;
}

export function createGatherer({ clock, send }: GathererOptions): Gatherer {
  const rounds = new Map<string, Round>();

  function begin(hook: string, groupingMs: number, first: Delivery[], inMs: number): void {
    const cancel = clock.schedule(clock.now() + inMs, () => end(hook));
    rounds.set(hook, { gathered: first, groupingMs, cancel });
  }

  function end(hook: string): void {
    const { gathered, groupingMs } = rounds.get(hook)!;
    rounds.delete(hook);
    const [first, ...others] = gathered;
    // After a round in which nothing came, the next event is a first one again.
    if (!first) return;
    send([first, ...others]);
    begin(hook, groupingMs, [], groupingMs);
  }

  return {
    add(delivery, groupingMs) {
      if (groupingMs === 0) return send([delivery]);
      const round = rounds.get(delivery.hook);
      if (round) round.gathered.push(delivery);
      else begin(delivery.hook, groupingMs, [delivery], delivery.repeats ? groupingMs : 0);
    },
    withdraw(delivery) {
      const gathered = rounds.get(delivery.hook)?.gathered ?? [];
      const index = gathered.indexOf(delivery);
      if (index !== -1) gathered.splice(index, 1);
      return index !== -1;
    },
    flush() {
      for (const [hook, { cancel, gathered }] of rounds) {
        cancel();
        rounds.delete(hook);
        const [first, ...others] = gathered;
        if (first) send([first, ...others]);
      }
    },
  };
}
