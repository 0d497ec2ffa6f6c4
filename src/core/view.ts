import type { Derivation } from './contract.ts';
import type { Reasons } from './gates.ts';
import type { Health } from './health.ts';
import type { NextStart, Standing } from './plan.ts';
import type { Target } from './target.ts';

/** An attempt that is under way. */
export interface Pending {
  /** Monotonic ms. */
  readonly startedAt: number;
  /** A start of the grid. */
  readonly regular: boolean;
}

/** All that decides what happens to a target next, as it stands at `standing.now`. */
export interface View {
  /** With the rules that are in force: those of a contract change. */
  readonly target: Target;
  readonly health: Health;
  readonly reasons: Reasons;
  /** The latency from which a good answer is a complaint, ms; null: none is. */
  readonly slowMs: number | null;
  /** Wall clock ms. */
  readonly at: number;
  readonly standing: Standing;
  /** Oldest first. */
  readonly pending: readonly Pending[];
  /** The next start; null where one that is under way has to end first, or the next waits for its place. */
  readonly planned: NextStart | null;
  /** After how long without an answer it is asked again, ms; null: it is not. */
  readonly suspectAfterMs: number | null;
  /** What its contract comes to; null where it has none. */
  readonly chosen: Derivation | null;
  readonly attempts: number;
  readonly missed: number;
}
