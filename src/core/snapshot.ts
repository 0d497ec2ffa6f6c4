import { type Health, isOld } from './health.ts';
import type { Attempt } from './outcome.ts';
import type { View } from './view.ts';

/** What is believed of a target, for whoever asks. */
export interface MonitorSnapshot {
  readonly target: string;
  readonly health: Health;
  readonly unreachable: boolean;
  /** Why openings are held back; null where they are not. */
  readonly hushed: string | null;
  /** Nothing was learned of it lately: what is said of it is what was known last. */
  readonly stale: boolean;
  readonly attempts: number;
  readonly missed: number;
  readonly last: Attempt | undefined;
}

export function snapshotOf(
  { target, health, reasons, standing, attempts, missed }: View,
  last: Attempt | undefined,
): MonitorSnapshot {
  const { doubt, blockers, hushed } = reasons;
  return {
    target: target.name,
    health,
    unreachable: blockers.length > 0,
    hushed,
    stale: doubt.doubtful || isOld(health, standing.rules.intervalMs, standing.now),
    attempts,
    missed,
    last,
  };
}
