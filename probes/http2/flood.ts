import { violation } from './faults.ts';

/** What asks us to answer at once: PING and SETTINGS. */
const MAX_CHORES = 1_000;
/** Frames of one request that bring its answer no further. */
const MAX_ASIDE = 10_000;

/** Bounds what a server may send beside an answer. Its methods throw ProbeFailure. */
export interface FloodGuard {
  /** A request has been sent. */
  open(): void;
  aside(name: string): void;
  chore(name: string): void;
}

export function createFloodGuard(): FloodGuard {
  let chores = 0;
  let aside = 0;
  return {
    open() {
      chores = 0;
      aside = 0;
    },
    aside(name) {
      aside++;
      if (aside > MAX_ASIDE) {
        throw violation(`more than ${MAX_ASIDE} frames beside the answer, of late ${name}`);
      }
    },
    chore(name) {
      chores++;
      if (chores > MAX_CHORES) throw violation(`a flood of ${name}`);
    },
  };
}
