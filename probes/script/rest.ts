import type { Answer } from './job.ts';
import { LONGEST_REST_MS, STRIKES } from './limits.ts';
import type { Death } from './thread.ts';

const FIRST_REST_MS = 2_000;

/** What ends a thread by the script's own doing. One that only ignores its signal may wait for a target that hangs. */
const OWN_DOING = new Set<(Answer | Death)['kind']>(['uncaught', 'exit', 'memory', 'garbled', 'blocked']);

/**
 * A script that keeps destroying its threads would cost a new one at every attempt, and up to a core. From the third
 * time in a row on it rests before it gets another: 2 s, and twice as long each time.
 */
export interface Rests {
  /** Whether this script, with these settings, still rests; `now` in ms. */
  isResting(script: string, now: number): boolean;
  /** How an attempt of it ended. */
  note(script: string, { kind }: Answer | Death, now: number): void;
}

export function createRests(): Rests {
  const strikes = new Map<string, { readonly count: number; readonly until: number }>();
  return {
    isResting: (script, now) => now < (strikes.get(script)?.until ?? 0),
    note(script, { kind }, now) {
      if (OWN_DOING.has(kind)) {
        const count = (strikes.get(script)?.count ?? 0) + 1;
        const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (count - STRIKES));
        strikes.set(script, { count, until: count < STRIKES ? 0 : now + restMs });
      } else if (kind !== 'ended') strikes.delete(script);
    },
  };
}
