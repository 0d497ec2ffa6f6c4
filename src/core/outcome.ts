/**
 * What an attempt said. The target's failure is `fail`; our own trouble is `void`, which never counts. Every reason
 * belongs to one evidence class: `explicit` (the path works and the target says no), `silent` (connected, no answer in
 * time), `path` (we could not even connect).
 */
const CLASS_OF_REASON = {
  refused: 'explicit',
  reset: 'explicit',
  closed: 'explicit',
  tls: 'explicit',
  protocol: 'explicit',
  status: 'explicit',
  mismatch: 'explicit',
  too_large: 'explicit',
  not_serving: 'explicit',
  exit: 'explicit',
  timeout: 'silent',
  missed: 'silent',
  connect_timeout: 'path',
  unreachable: 'path',
  dns: 'path',
} as const;

export type Reason = keyof typeof CLASS_OF_REASON;
export const REASONS = Object.keys(CLASS_OF_REASON) as readonly Reason[];
export const EVIDENCE_CLASSES = ['explicit', 'silent', 'path'] as const satisfies EvidenceClass[];
export type EvidenceClass = (typeof CLASS_OF_REASON)[Reason];
export type Status = 'ok' | 'warn' | 'fail' | 'void';

/** Values read from the answer: the heartbeat's payload (load, version, days left). */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface Good {
  readonly status: 'ok' | 'warn';
  readonly message: string;
  readonly facts?: Facts;
}
export interface Failure {
  readonly status: 'fail';
  readonly reason: Reason;
  readonly message: string;
  readonly facts?: Facts;
}
export interface Void {
  readonly status: 'void';
  readonly message: string;
  /** The agent itself ran short of something: descriptors, ports, memory. */
  readonly shortage?: true;
  readonly facts?: Facts;
}
export type Outcome = Good | Failure | Void;

export function ok(message: string, facts?: Facts): Good {
  return facts ? { status: 'ok', message, facts } : { status: 'ok', message };
}
export function warn(message: string, facts?: Facts): Good {
  return facts ? { status: 'warn', message, facts } : { status: 'warn', message };
}
export function fail(reason: Reason, message: string, facts?: Facts): Failure {
  return facts ? { status: 'fail', reason, message, facts } : { status: 'fail', reason, message };
}
export function voided(message: string): Void {
  return { status: 'void', message };
}
/** Void because the agent ran short of something, which speaks against the agent. */
export function shortage(message: string): Void {
  return { status: 'void', message: `our own trouble: ${message}`, shortage: true };
}

/** The outcome with more facts; its own come first. */
export function withFacts(outcome: Outcome, facts: Facts): Outcome {
  return Object.keys(facts).length === 0 ? outcome : { ...outcome, facts: { ...facts, ...outcome.facts } };
}

export function isReason(word: unknown): word is Reason {
  return (REASONS as readonly unknown[]).includes(word);
}
export function reasonOf(outcome: Outcome): Reason | null {
  return outcome.status === 'fail' ? outcome.reason : null;
}
export function classOf(outcome: Outcome): EvidenceClass | null {
  return outcome.status === 'fail' ? CLASS_OF_REASON[outcome.reason] : null;
}

/**
 * The stages of an attempt, in the order they can come. A probe says which one it enters; the runner times them.
 * `queue` is a wait for our own resources: it does not count against the timeout, and one as long as that is `void`.
 */
export const PHASES = ['queue', 'dns', 'connect', 'tls', 'send', 'wait', 'receive'] as const;
export type Phase = (typeof PHASES)[number];

/** One bounded run of a probe, as the runner saw it. */
export interface Attempt {
  readonly outcome: Outcome;
  /** Counts the target's attempts, from 1. */
  readonly number: number;
  /** Wall clock, ms since the epoch, of the start. */
  readonly at: number;
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly latencyMs: number;
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
}
