import { type Attempt, classOf, voided } from '../core/outcome.ts';
import type { Vigil } from './vigil.ts';

/**
 * A failure that fell into a lapse of the agent's is void: after a stall an answer may have been there in time and not
 * have been read, and while the process or its host stood still anything may have happened to the connection.
 */
export function excused(attempt: Attempt, { stalledAt, pausedAt }: ReturnType<Vigil['lapses']>): Attempt {
  const { outcome, startedAt } = attempt;
  if (outcome.status !== 'fail') return attempt;
  const excuse =
    startedAt < pausedAt
      ? 'the agent stood still'
      : startedAt < stalledAt && classOf(outcome) !== 'explicit'
        ? 'the agent was late'
        : undefined;
  return excuse === undefined
    ? attempt
    : { ...attempt, outcome: voided(`our own trouble: ${excuse} (${outcome.reason}: ${outcome.message})`) };
}
