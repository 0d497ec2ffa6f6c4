import type { Seen } from '../core/calibration.ts';
import type { Derivation } from '../core/contract.ts';
import type { Memory } from '../core/saved.ts';
import { slowFrom, withUsual } from '../core/slowness.ts';
import { suspectAfter, withLatency } from '../core/suspicion.ts';
import type { Rules, Target } from '../core/target.ts';
import { keepContract } from './contract.ts';

/** What is learned of a target while it is watched, and the rules that follow from it. */
export interface Habits {
  /** Those in force: of a target with a contract they change now and then. */
  rules(): Rules;
  /** The latency from which a good answer is a complaint, ms; null: none is. */
  slowMs(): number | null;
  /** After how long without an answer it is asked again, ms; null: it is not. */
  suspectAfterMs(): number | null;
  /** Takes note of an attempt and what was made of it; what was chosen anew for a contract because of it. */
  see(seen: Seen & { readonly regular: boolean }, now: number): Derivation | null;
  /** Whatever is under way counts no more. */
  forgive(): void;
  /** What its contract comes to; null where it has none. */
  chosen(): Derivation | null;
  learned(): Learned;
}

export type Learned = Pick<Memory, 'estimate' | 'usual' | 'calibration'>;

export function createHabits(target: Target, learned: Learned): Habits {
  let { estimate, usual } = learned;
  const contract = keepContract(target, learned.calibration);
  const rules = (): Rules => contract?.chosen().rules ?? target.rules;
  const slowMs = (): number | null => slowFrom(rules().slowAfter, usual);

  return {
    rules,
    slowMs,
    suspectAfterMs: () => suspectAfter(rules(), estimate),
    see(seen, now) {
      const { outcome, latencyMs } = seen.attempt;
      if (outcome.status === 'ok' || outcome.status === 'warn') {
        usual = withUsual(usual, latencyMs, rules().slowAfter, slowMs());
        estimate = withLatency(estimate, latencyMs);
      }
      return contract?.see(seen, now) ?? null;
    },
    forgive: () => contract?.forgive(),
    chosen: () => contract?.chosen() ?? null,
    learned: () => ({ estimate, usual, calibration: contract?.calibration() ?? learned.calibration }),
  };
}
