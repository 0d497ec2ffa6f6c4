import {
  type Calibration,
  type Seen,
  type Suspicion,
  followed,
  withBlip,
  withLook,
} from '../core/calibration.ts';
import { type Derivation, deriveRules } from '../core/contract.ts';
import { classOf } from '../core/outcome.ts';
import type { Target } from '../core/target.ts';

/** Rules are derived anew no sooner than this, ms. */
const RENEW_MS = 3_600_000;

/** Learns a target's blips, and says now and then which rules keep its contract. */
export interface ContractKeeper {
  /** Takes note of an attempt; what is chosen anew because of it, where that is another choice. */
  see(seen: Seen & { readonly regular: boolean }, now: number): Derivation | null;
  /** A suspicion under way is none any more. */
  forgive(): void;
  chosen(): Derivation;
  calibration(): Calibration;
}

/** Undefined for a target without a contract, of which nothing is learned. */
export function keepContract({ contract, rules }: Target, learned: Calibration): ContractKeeper | undefined {
  if (!contract) return undefined;
  let calibration = learned;
  let suspicion: Suspicion | null = null;
  let chosen = deriveRules(contract, calibration, rules);
  let renewedAt: number | undefined;

  return {
    see({ regular, ...seen }, now) {
      const { blip, ...rest } = followed(suspicion, seen);
      ({ suspicion } = rest);
      if (blip) calibration = withBlip(calibration, blip, chosen.rules.confirm);
      // What is found out about a suspicion is found out by the rules that it began with.
      if (!regular || seen.after.state !== 'up' || classOf(seen.attempt.outcome)) return null;
      if (seen.clear && seen.before.state === 'up')
        calibration = withLook(calibration, chosen.rules.intervalMs);
      renewedAt ??= now;
      if (now - renewedAt < RENEW_MS) return null;
      renewedAt = now;
      const before = chosen;
      chosen = deriveRules(contract, calibration, rules);
      return isSame(before, chosen) ? null : chosen;
    },
    forgive() {
      suspicion = null;
    },
    chosen: () => chosen,
    calibration: () => calibration,
  };
}

function isSame(before: Derivation, after: Derivation): boolean {
  const [one, other] = [before.rules, after.rules];
  return (
    before.kept === after.kept &&
    one.intervalMs === other.intervalMs &&
    one.confirm.explicit === other.confirm.explicit &&
    one.confirm.silent === other.confirm.silent &&
    one.confirm.path === other.confirm.path
  );
}
