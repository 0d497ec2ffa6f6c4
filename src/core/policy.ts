import type { Verify } from './transaction.ts';

/** How far recovery goes: it looks on, it does all but the command, or it acts. */
export const MODES = ['observe', 'dry_run', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

/** How a target is recovered; the steps are named in its `recover`. */
export interface RecoveryPolicy {
  readonly mode: Mode;
  readonly verify: Verify;
  /** Name of the step that is asked before each action, and forbids it by failing. */
  readonly veto: string | null;
}

export const VERIFY: Verify = { successes: 3, withinMs: 60_000, stableMs: 30_000 };
/** What holds where nobody says otherwise. */
export const POLICY: RecoveryPolicy = { mode: 'enforce', verify: VERIFY, veto: null };
