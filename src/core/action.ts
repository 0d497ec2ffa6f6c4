import type { Start } from './brakes.ts';
import { type Climb, NEW_CLIMB } from './ladder.ts';
import type { EvidenceClass, Reason } from './outcome.ts';
import type { Mode } from './policy.ts';
import type { RecoveryOutcome } from './transaction.ts';

/** One recovery action as it is kept: written before it is done, and again with what became of it. Times are wall clock ms. */
export interface ActionRow {
  readonly id: string;
  readonly target: string;
  /** The group of the brakes. */
  readonly group: string;
  readonly incident: string;
  readonly step: string;
  readonly kind: string;
  /** Which attempt of its step it is. */
  readonly try: number;
  readonly mode: Mode;
  readonly asks: boolean;
  readonly class: EvidenceClass | null;
  readonly reason: Reason | null;
  /** What was done, or would have been. */
  readonly what: string;
  /** Of the intent. */
  readonly at: number;
  /** Since when the target was down. */
  readonly since: number;
  /** Whether it may have begun. */
  readonly counted: boolean;
  readonly ended: number | null;
  /** How the action itself ended; `unknown` where the agent has died meanwhile. */
  readonly result: 'ok' | 'failed' | 'unknown' | null;
  readonly detail: string;
  /** The end of what it printed. */
  readonly output: string;
  /** What the target's own probe made of it. */
  readonly outcome: RecoveryOutcome | null;
  readonly why: string;
  readonly decided: number | null;
  /** How often it was vetoed; only where it was. */
  readonly vetoes?: number;
  readonly [key: string]: unknown;
}

/** A guard may say no for days: what it says of a step in an incident is one row, with the last of it and how often. */
export function vetoKey({ incident, step, mode }: Pick<ActionRow, 'incident' | 'step' | 'mode'>): string {
  return `${incident}/${mode === 'dry_run' ? `${mode}/` : ''}${step}/veto`;
}

/** `before`: the row of what was vetoed until now. */
export function vetoedAgain(row: ActionRow, before: ActionRow | undefined): ActionRow {
  return { ...row, id: vetoKey(row), at: before?.at ?? row.at, vetoes: (before?.vetoes ?? 0) + 1 };
}

/** A climb as it is kept. A time in which nobody looked is no time of being up. */
export interface ClimbRow {
  readonly target: string;
  readonly mode: Mode;
  readonly used: Climb['used'];
  readonly gave_up: string | null;
  readonly cool_until: number | null;
  readonly acked_at: number | null;
  readonly [key: string]: unknown;
}

/** What a climb is kept by: a dry run has its own, beside the one in earnest. */
export function climbKey({ target, mode }: Pick<ClimbRow, 'target' | 'mode'>): string {
  return mode === 'dry_run' ? `${target}\n${mode}` : target;
}

/** Both clocks at one moment, ms. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

export function climbRow(target: string, mode: Mode, climb: Climb, { now, wall }: Moment): ClimbRow {
  const onWall = (at: number | null): number | null => (at === null ? null : Math.round(wall + at - now));
  return {
    target,
    mode,
    used: climb.used,
    gave_up: climb.gaveUp,
    cool_until: onWall(climb.coolUntil),
    acked_at: onWall(climb.ackedAt),
  };
}

/** A wall clock that was set back meanwhile makes nothing younger than now, and no cool-down longer than `mostMs`. */
export function climbOf(row: ClimbRow, moment: Moment, mostMs: number): Climb {
  const { now, wall } = moment;
  return {
    ...NEW_CLIMB,
    used: row.used,
    gaveUp: row.gave_up,
    coolUntil: row.cool_until === null ? null : now + Math.min(mostMs, row.cool_until - wall),
    ackedAt: row.acked_at === null ? null : pastOf(row.acked_at, moment),
  };
}

export function startOf(row: ActionRow, moment: Moment): Start {
  return { target: row.target, group: row.group, asks: row.asks, at: pastOf(row.at, moment) };
}

function pastOf(at: number, { now, wall }: Moment): number {
  return now - Math.max(0, wall - at);
}
