import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { EvidenceClass, Reason } from './outcome.ts';
import type { Purpose } from './purpose.ts';
import type { State } from './health.ts';

/**
 * What runs when something is told of a target: an incident opens (`down`) or closes (`up`), ... As with probes, the
 * members are methods so that hooks of different settings share one registry.
 */
export interface Hook<Settings = unknown> {
  readonly kind: string;
  readonly settings: z.ZodType<Settings>;
  readonly defaults: HookDefaults;
  /** Brings in what `fire` takes, before the first event: while everything is down, the disk may be gone, too. */
  readonly load?: () => Promise<unknown>;
  /** May throw: that counts as not delivered. Aborted by the signal, it has to leave nothing behind. */
  fire(settings: Settings, event: HookEvent, context: HookContext): Promise<HookResult>;
}

/** What holds where a hook's declaration says nothing. */
export interface HookDefaults {
  readonly timeoutMs: number;
  /** Tries after the first one; null: as many as there is time for. */
  readonly retries: number | null;
  /** How long events are gathered for one message, ms; null: it takes one at a time, and never more. */
  readonly groupingMs: number | null;
  /** What it was told lapses at the receiver, unless it is told again this often, ms. */
  readonly refreshMs?: number;
}

export interface HookContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface HookResult {
  readonly ok: boolean;
  readonly detail: string;
  /** Trying again may help. */
  readonly retry: boolean;
  /** The receiver asks not to be tried again before so many ms have passed. */
  readonly retryAfterMs?: number;
}

export type HookRegistry = Readonly<Record<string, Hook>>;

/** Each opening with its closing. */
export const HOOK_EVENTS = ['down', 'up', 'degraded', 'restored', 'flapping', 'settled'] as const;

/**
 * `still_down` reminds of what was told: whoever asks for reminders gets it. `abandoned` closes what nobody will verify
 * up: its target is gone from the configuration. Whoever hears `up` gets it. `gave_up` says that recovery has tried all
 * that it may: whoever hears `down` gets it.
 */
export type HookEventName = (typeof HOOK_EVENTS)[number] | 'still_down' | 'abandoned' | 'gave_up';

/** What each closing closes. */
export const OPENING_OF: Readonly<Partial<Record<HookEventName, HookEventName>>> = {
  up: 'down',
  abandoned: 'down',
  restored: 'degraded',
  settled: 'flapping',
};

/** What a hook is told; the JSON on a command's stdin and in a webhook's body, key for key. */
export interface HookEvent {
  /** The same on every retry, so that a receiver can tell a repeat from news. */
  readonly id: string;
  readonly event: HookEventName;
  /** Whom it is of: `target` is the name of a target, or of a group as a whole. */
  readonly kind: 'target' | 'group';
  readonly target: string;
  readonly group: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** A group has none. */
  readonly purpose: Purpose | null;
  readonly probe: string;
  readonly state: State;
  readonly from: State;
  readonly reason: Reason | null;
  readonly class: EvidenceClass | null;
  readonly message: string;
  /** Null where it is not about one: a target that is degraded is available. */
  readonly incident: string | null;
  /** The same for all incidents that opened as many targets failed together; null as a rule. */
  readonly correlated: string | null;
  /** How often the incident was over before, and went on: down again within ten minutes is the same incident. */
  readonly relapses: number;
  /** Running number of the target's attempt that caused the event. */
  readonly attempt: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** When that began which it opens, recalls or closes; as `at` where it begins now. */
  readonly since: string;
  /** What came with it and goes with it as one message, where the hook gathers. Without it, the event is alone. */
  readonly also?: readonly HookEvent[];
}

/** A hook as declared under `hooks:`, ready to be fired. */
export interface HookSpec {
  readonly name: string;
  readonly kind: string;
  readonly settings: unknown;
  /** Null: all events where it notifies, `down` where it recovers. */
  readonly on: readonly HookEventName[] | null;
  readonly timeoutMs: number;
  /** Tries after the first one; null: as many as there is time for. */
  readonly retries: number | null;
  /** How long it is tried, from the event on, ms. */
  readonly retryForMs: number;
  /** How long events are gathered for one message, ms. */
  readonly groupingMs: number;
  /** What lasts is told again this often, ms: to remind people, or because it lapses there. */
  readonly repeat: { readonly everyMs: number; readonly why: 'reminder' | 'refresh' } | null;
}

/** A try has failed, and there will be another one. */
export interface HookRetry extends Pick<
  HookReport,
  'target' | 'hook' | 'kind' | 'event' | 'tries' | 'detail'
> {
  /** Until the next try. */
  readonly pauseMs: number;
  /** How many deliveries it is about: those that go with it in one message wait, too. */
  readonly deliveries: number;
}

/** How one delivery ended, all tries included. */
export interface HookReport {
  readonly target: string;
  readonly hook: string;
  readonly kind: string;
  readonly event: HookEvent;
  readonly ok: boolean;
  readonly tries: number;
  /** From the first try's start to the end, pauses between tries included. */
  readonly ms: number;
  readonly detail: string;
}
