import { nextConfirmation, stretched } from './evidence.ts';
import type { Health } from './health.ts';
import { nextDue } from './schedule.ts';
import type { Rules } from './target.ts';

/** Confirmations of one target that may be under way at once, however long its timeout. */
const MOST_AT_ONCE = 8;

/** How things stand with one target, when its next attempt is planned. Times are monotonic ms. */
export interface Standing {
  readonly name: string;
  readonly rules: Pick<Rules, 'intervalMs' | 'timeoutMs' | 'retryIntervalMs' | 'confirm'>;
  readonly health: Health;
  /** An answer is late enough to look again, though nothing has failed. */
  readonly suspected: boolean;
  /** Failures decide nothing now: a dependency is not up, or the agent is in doubt. */
  readonly held: boolean;
  /** By how much the agent stretches its windows. */
  readonly stretch: number;
  /** Attempts under way. */
  readonly active: number;
  /** The newest attempt: when it was due, and when it started. */
  readonly latest: { readonly due: number; readonly startedAt: number };
  /** From which all targets count their phases. */
  readonly epoch: number;
  readonly now: number;
}

export interface NextStart {
  readonly due: number;
  /** One of the regular starts, which can be missed; attempts while a change of state is pending are extra. */
  readonly onGrid: boolean;
}

/**
 * Whether it is being found out if a target is down. Attempts may overlap then: silence takes a whole timeout to be heard,
 * and has to be heard several times within a window.
 */
export function isConfirming({
  health,
  suspected,
  held,
}: Pick<Standing, 'health' | 'suspected' | 'held'>): boolean {
  return !held && (health.state === 'suspect' || (suspected && health.incidentAt === null));
}

/** When the next attempt starts; null where one of those under way has to end first. */
export function nextStart(standing: Standing): NextStart | null {
  const { name, rules, health, active, latest, epoch, now } = standing;
  const spacing = rules.retryIntervalMs;
  if (isConfirming(standing)) {
    if (active >= MOST_AT_ONCE) return null;
    const timing = { lastStart: latest.startedAt, spacing, timeout: rules.timeoutMs };
    return {
      due: Math.max(now, nextConfirmation(health.evidence, stretched(rules, standing.stretch), timing)),
      onGrid: false,
    };
  }
  if (active > 0) return null;
  if (health.state === 'recovering') return { due: Math.max(now, latest.startedAt + spacing), onGrid: false };
  return { due: nextDue(name, rules.intervalMs, epoch, Math.max(now, latest.due)), onGrid: true };
}
