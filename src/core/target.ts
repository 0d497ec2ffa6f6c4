import type { Contract } from './contract.ts';
import type { DegradedRule } from './degraded.ts';
import type { DownRule } from './evidence.ts';
import type { RecoveryPolicy } from './policy.ts';
import type { Serves } from './publication.ts';
import type { Purpose } from './purpose.ts';

/** One thing to watch. Data without functions: it can be printed, compared and kept over a reload. */
export interface Target {
  readonly name: string;
  readonly group?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What may be done about it. */
  readonly purpose: Purpose;
  readonly probe: { readonly kind: string; readonly settings: unknown };
  /** Equal for two targets that are asked the same. */
  readonly probeFingerprint: string;
  /** The host that its attempts load, for the per-host bound. */
  readonly host?: string;
  /** What consumers are told of it. */
  readonly serves?: Serves;
  /** Where there is a contract, those that it begins with. */
  readonly rules: Rules;
  readonly contract?: Contract;
  readonly dependsOn: readonly string[];
  /** Names of hooks that tell someone. */
  readonly notify: readonly string[];
  /** Names of ladders that act on it, in order. */
  readonly recover: readonly string[];
  readonly policy: RecoveryPolicy;
  /** Equal for two targets of the same settings, secrets included: such a target is untouched by a reload. */
  readonly fingerprint: string;
}

/** When to ask and how to judge the answers. Durations in ms. */
export interface Rules extends DownRule, DegradedRule {
  /** Start to start. */
  readonly intervalMs: number;
  /** One attempt, everything included. */
  readonly timeoutMs: number;
  /** Start to start while a change of state is pending; never above the interval. */
  readonly retryIntervalMs: number;
  /** How long an answer may take before the target is looked at again: learned, or not at all, or ms. */
  readonly suspectAfter: 'auto' | 'off' | number;
  /** The latency from which a good answer is a complaint: three times what is usual, none, or ms. */
  readonly slowAfter: 'auto' | 'off' | number;
  /** Good attempts in a row before up again. */
  readonly successThreshold: number;
}
