import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Outcome, Phase } from './outcome.ts';
import type { Trace } from './trace.ts';

/**
 * A way of asking. It answers with an Outcome and neither measures, retries nor decides: the runner owns the deadline,
 * times the phases and judges. `attempt` may throw: a thrown bug counts as `void`, never against the target.
 *
 * `Settings` is what the schema puts out. The members are written as methods on purpose: that lets probes of different
 * settings share one registry, which is sound because a probe is only ever handed what its own schema produced.
 */
export interface Probe<Settings = unknown> {
  readonly kind: string;
  /** The keys under `kind:` in the YAML, short forms included. */
  readonly settings: z.ZodType<Settings>;
  /** Whom this target loads, for the per-host bound, and where consumers find it; undefined where nobody is dialled. */
  peer?(settings: Settings): Peer | undefined;
  attempt(settings: Settings, context: ProbeContext): Promise<Outcome>;
}

export interface Peer {
  readonly host: string;
  /** Missing where there are none. */
  readonly port?: number;
}

export interface ProbeContext {
  /** The target's name. */
  readonly target: string;
  /** Aborted at the deadline, at shutdown, and when the outcome no longer matters: let go of everything then. */
  readonly signal: AbortSignal;
  /** Monotonic ms at which the runner settles the attempt; later, once it has waited in the phase `queue`. */
  readonly deadline: number;
  readonly clock: Clock;
  /** Says that a stage begins; the one before it ends. A redirect may enter a stage twice: the times add up. */
  enter(phase: Phase): void;
  /** Where a person looks at this one attempt: what it sees. */
  readonly trace?: Trace;
}

export type ProbeRegistry = Readonly<Record<string, Probe>>;
