import type { Hold } from '../core/brakes.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Target } from '../core/target.ts';

/** Targets that nobody would look at by the time at which they may be acted on. */
export interface Alarms {
  /** It is asked again when all of these are over, where time alone ends them. */
  set(target: Target, holds: readonly Hold[]): void;
  clear(name: string): void;
  stop(): void;
}

/** Whoever is asked more often needs none, ms. */
const SELDOM_MS = 10_000;

export function createAlarms(clock: Clock, ask: (name: string) => void): Alarms {
  const alarms = new Map<string, Cancel>();
  function clear(name: string): void {
    alarms.get(name)?.();
    alarms.delete(name);
  }
  return {
    set({ name, rules }, holds) {
      clear(name);
      const untils = holds.flatMap(({ until }) => until ?? []);
      if (rules.intervalMs <= SELDOM_MS || untils.length < holds.length) return;
      alarms.set(
        name,
        clock.schedule(Math.max(...untils), () => ask(name)),
      );
    },
    clear,
    stop() {
      for (const name of alarms.keys()) clear(name);
    },
  };
}
