import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { State } from './health.ts';
import type { Rung } from './ladder.ts';
import type { EvidenceClass, Reason } from './outcome.ts';
import type { Purpose } from './purpose.ts';

/**
 * A way of acting on a target, as a step of a ladder. It does it once and says how that went; whether it helped, the
 * target's own probe decides. The members are methods so that kinds of different settings share one registry.
 */
export interface StepKind<Settings = unknown> {
  readonly kind: string;
  readonly settings: z.ZodType<Settings>;
  readonly timeoutMs: number;
  /** It asks somebody else to act, who has brakes of his own. */
  readonly asks: boolean;
  /** That it was tried keeps the target out of what is published, for as long as its ladder counts it. */
  readonly withdraws?: true;
  /** Brings in what `act` takes, before the first action: while everything is down, the disk may be gone, too. */
  readonly load?: () => Promise<unknown>;
  /** What it would do, in one line, as exact as a person could type it. */
  preview(settings: Settings, action: Action): string;
  /** May throw: that counts as failed. Aborted by the signal, it has to leave nothing behind. */
  act(settings: Settings, action: Action, context: ActionContext): Promise<ActionResult>;
}

export type StepRegistry = Readonly<Record<string, StepKind>>;

export interface ActionContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface ActionResult {
  readonly ok: boolean;
  /** One line. */
  readonly detail: string;
  /** What it printed; the end of that is kept. */
  readonly output: string;
}

/** A step as declared, ready to be tried. */
export interface Step extends Rung {
  readonly kind: string;
  readonly settings: unknown;
  readonly asks: boolean;
  readonly withdraws: boolean;
  readonly timeoutMs: number;
  /** How long the target is left alone after it, ms. */
  readonly settleMs: number;
  /** It is called off where the target answers again while it runs. */
  readonly cancelOnUp: boolean;
}

export const STEP_DEFAULTS = { attempts: 1, settleMs: 10_000, on: ['explicit', 'silent'] } as const;

/** What a step is told; the JSON on a command's stdin and in a webhook's body, key for key. */
export interface Action {
  /** Never the same for two actions, and the same wherever this one is mentioned. */
  readonly id: string;
  readonly event: 'recover';
  readonly target: string;
  readonly group: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly probe: string;
  readonly state: State;
  readonly reason: Reason | null;
  readonly class: EvidenceClass | null;
  readonly message: string;
  readonly incident: string;
  /** The step's name, and which of its attempts this is, from 1. */
  readonly step: string;
  readonly try: number;
  /** Running number of the target's attempt that was looked at last. */
  readonly attempt: number;
  /** ISO 8601, UTC: now, and since when the target is down. */
  readonly at: string;
  readonly since: string;
}
