/**
 * The agent's score of its own health. An agent that stalls, runs out of descriptors or has lost its network sees its
 * targets fail: so the higher the score the longer it looks, and from DOUBTFUL on it decides nothing. After the local
 * health multiplier of Lifeguard (Dadgar, Phillips, Currey, DSN 2018) and the TILT mode of Redis Sentinel.
 */
export interface Doubt {
  /** 0 to 7. Windows are stretched by score + 1. */
  readonly score: number;
  /** No verdict of down and no action. */
  readonly doubtful: boolean;
  /** Monotonic ms of the newest trouble. */
  readonly troubledAt: number;
  /** Monotonic ms from which the next clean span counts. */
  readonly calmAt: number;
  /** Monotonic ms at which each kind of trouble last added to the score. */
  readonly counted: Readonly<Partial<Record<Trouble, number>>>;
}

/** What speaks against the agent itself. */
const WEIGHTS = {
  /** Its loop was late. */
  stall: 1,
  /** It ran short of descriptors, ports, memory or turns. */
  shortage: 1,
  /** It stood still: stopped, or starved. */
  pause: 3,
  /** The wall clock was set, or the host was suspended. */
  'clock step': 3,
  /** Nothing that answers as a rule answers any more; for as long as that is so it is trouble. */
  'anchors lost': 4,
} as const;
export type Trouble = keyof typeof WEIGHTS;

export const NO_DOUBT: Doubt = {
  score: 0,
  doubtful: false,
  troubledAt: -Infinity,
  calmAt: -Infinity,
  counted: {},
};

const MOST = 7;
const DOUBTFUL = 4;
/** One kind of trouble adds to the score once in this time, and as long without any takes one off, ms. */
const SPAN_MS = 5_000;
/** As long without trouble ends the doubt, ms. */
const CLEAN_MS = 30_000;

/** With one more trouble, at `now`, monotonic ms. */
export function troubled(doubt: Doubt, trouble: Trouble, now: number): Doubt {
  const { score, doubtful, counted } = calmed(doubt, now);
  const again = now - (counted[trouble] ?? -Infinity) < SPAN_MS;
  const next = again ? score : Math.min(MOST, score + WEIGHTS[trouble]);
  return {
    score: next,
    doubtful: doubtful || next >= DOUBTFUL,
    troubledAt: now,
    calmAt: now,
    counted: again ? counted : { ...counted, [trouble]: now },
  };
}

/** What is left of it by `now`, monotonic ms. The same object where nothing has changed. */
export function calmed(doubt: Doubt, now: number): Doubt {
  const spans = Math.floor((now - doubt.calmAt) / SPAN_MS);
  if (spans <= 0 || (doubt.score === 0 && !doubt.doubtful)) return doubt;
  const clean = now - doubt.troubledAt >= CLEAN_MS;
  return {
    ...doubt,
    score: clean ? 0 : Math.max(0, doubt.score - spans),
    doubtful: doubt.doubtful && !clean,
    calmAt: doubt.calmAt + spans * SPAN_MS,
  };
}
