import type { Facts, Failure, Good, Outcome, Reason, Void } from '../../src/core/outcome.ts';

/**
 * What a script imports as `vitald`. It is loaded in the script's own thread, and by authors' tests: it must stay free
 * of everything else of ours.
 */
export type { Facts, Failure, Good, Outcome, Reason, Void };

/** The settings as they stand under `with` in the YAML. */
export type Given = Readonly<Record<string, unknown>>;

export interface ScriptContext {
  /** The target's name. */
  readonly target: string;
  /** Aborted at the deadline: hand it to whatever waits. A script that goes on regardless loses its thread. */
  readonly signal: AbortSignal;
  /** How long the attempt may take from its start, ms. */
  readonly timeoutMs: number;
  readonly clock: ScriptClock;
}

export interface ScriptClock {
  /** Monotonic milliseconds: for every duration. */
  now(): number;
  /** Milliseconds since the epoch: for people, and for comparing with the dates of others. */
  wallTime(): number;
}

/** What zod, valibot, arktype and others have in common: https://standardschema.dev */
export interface StandardSchema<Settings> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Settings> | Promise<StandardResult<Settings>>;
    readonly types?: { readonly input: unknown; readonly output: Settings } | undefined;
  };
}

export type StandardResult<Settings> =
  | { readonly value: Settings; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export interface ScriptProbe<Settings> {
  /** Checks what stands under `with`, and puts out the settings: a function that throws, or a schema. */
  readonly settings?: ((given: Given) => Settings | Promise<Settings>) | StandardSchema<Settings>;
  /** One attempt. It neither measures, retries nor decides. */
  attempt(settings: Settings, context: ScriptContext): Outcome | Promise<Outcome>;
}

/** A probe, as it is: this is for the types. */
export function defineProbe<Settings = Given>(probe: ScriptProbe<Settings>): ScriptProbe<Settings> {
  return probe;
}

type Fact = string | number | boolean | null | undefined;

/** Facts by their names; one that is null or undefined is left out. */
export type GivenFacts = Readonly<Record<string, Fact>> | { readonly facts: Readonly<Record<string, Fact>> };

/** The target is fine. */
export function ok(message: string, facts?: GivenFacts): Good {
  return { status: 'ok', message, ...cleaned(facts) };
}

/** The target is available, with a complaint. */
export function warn(message: string, facts?: GivenFacts): Good {
  return { status: 'warn', message, ...cleaned(facts) };
}

/** The target is not available. */
export function fail(reason: Reason, message: string, facts?: GivenFacts): Failure {
  return { status: 'fail', reason, message, ...cleaned(facts) };
}

/** We could not tell: this says nothing about the target, and never counts. */
export function voided(message: string, facts?: GivenFacts): Void {
  return { status: 'void', message, ...cleaned(facts) };
}

function cleaned(given: GivenFacts | undefined): { facts?: Facts } {
  if (given === undefined || given === null) return {};
  const { facts } = given;
  const named = typeof facts === 'object' && facts !== null ? facts : given;
  const entries = Object.entries(named).filter(([, value]) => value !== undefined && value !== null);
  return { facts: Object.fromEntries(entries) as Facts };
}
