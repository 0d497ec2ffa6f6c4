import { type Contract, type Derivation, onceIn } from './contract.ts';
import { EVIDENCE_CLASSES, type EvidenceClass } from './outcome.ts';

/** What a contract asks for and what can be had, and why: for whoever asks the agent, key for key. */
export interface ContractTerms {
  readonly kept: boolean;
  readonly detect_within_ms: number;
  readonly max_false_down: string;
  /** What can be promised with the rule in force. */
  readonly detects_within_ms: number;
  readonly false_down: string;
  /** The `detect_within` that the rate would take. */
  readonly needs_ms: number;
  readonly watched_ms: number;
  readonly blips: readonly BlipTerms[];
}

export interface BlipTerms {
  readonly class: EvidenceClass;
  readonly count: number;
  /** With the interval in force; what is assumed before there is any is reckoned in. */
  readonly per_day: number;
  /** How long the first failure of one takes, and how long it goes on after that, on average. */
  readonly heard_ms: number;
  readonly mean_ms: number;
  /** The window that keeps the rate, and the one that there is. */
  readonly wanted_ms: number;
  readonly window_ms: number;
}

const DAY_MS = 86_400_000;

export function termsOf(contract: Contract, chosen: Derivation): ContractTerms {
  return {
    kept: chosen.kept,
    detect_within_ms: contract.detectWithinMs,
    max_false_down: onceIn(contract.maxFalseDown),
    detects_within_ms: chosen.detectsWithinMs,
    false_down: onceIn(chosen.falseDown),
    needs_ms: chosen.neededMs,
    watched_ms: chosen.watchedMs,
    blips: EVIDENCE_CLASSES.map((cls) => {
      const { count, rate, heardMs, meanMs, wantedMs } = chosen.blips[cls];
      return {
        class: cls,
        count,
        per_day: Number((rate * DAY_MS).toPrecision(3)),
        heard_ms: Math.round(heardMs),
        mean_ms: Math.round(meanMs),
        wanted_ms: wantedMs,
        window_ms: chosen.rules.confirm[cls],
      };
    }),
  };
}
