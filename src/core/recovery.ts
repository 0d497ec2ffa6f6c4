import type { ActionRow } from './action.ts';
import type { Hold } from './brakes.ts';
import type { Mode } from './policy.ts';
import type { Phase } from './transaction.ts';

/** How a target stands with its recovery. */
export interface RecoveryStanding {
  readonly mode: Mode;
  /** The step that would be tried next; null where there is none. */
  readonly next: string | null;
  readonly gaveUp: string | null;
  /** Attempts so far, by step. */
  readonly used: Readonly<Record<string, number>>;
  readonly phase: Phase['name'] | null;
  /** What holds the next action back. Times are monotonic ms. */
  readonly holds: readonly Hold[];
}

/** What there is to tell of recovery, as it happens. */
export type RecoveryReport =
  | TargetReport
  /** A group is in panic, or no more: so many of it are bad at once. */
  | { readonly what: 'panic' | 'calm'; readonly group: string; readonly bad: number; readonly size: number }
  /** The switch for all; who turned it. */
  | { readonly what: 'off' | 'on'; readonly by: string };

export type TargetReport = { readonly target: string; readonly incident: string } & (
  | { readonly what: 'held'; readonly holds: readonly Hold[] }
  /** Its intent is on the disk: it is done now. Then how it ended, and what it came to. */
  | { readonly what: 'begins' | 'acted' | 'outcome'; readonly action: ActionRow }
  | { readonly what: 'refused'; readonly why: string }
  | { readonly what: 'gave_up'; readonly mode: Mode; readonly why: string }
  | { readonly what: 're_armed'; readonly why: string }
);
