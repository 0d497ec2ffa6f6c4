import type { Doubt } from './doubt.ts';
import { type DownRule, type Evidence, NO_EVIDENCE, provenBy, stretched, withFailure } from './evidence.ts';
import { type Attempt, type Outcome, classOf } from './outcome.ts';
import type { Rules } from './target.ts';

/** What we believe of a target. */
export type State = 'unknown' | 'up' | 'suspect' | 'down' | 'recovering';

export interface Health {
  readonly state: State;
  /** Wall clock ms of the last change of state. */
  readonly since: number;
  /** What speaks against the target while it is suspect. */
  readonly evidence: Evidence;
  /** Good attempts in a row while it is recovering. */
  readonly successes: number;
  /** Wall clock ms at which the open incident began; it stays until the target is verified up again. */
  readonly incidentAt: number | null;
  /** Monotonic ms at which the newest attempt that was judged had started. */
  readonly judgedAt: number;
}

/** A change of state, with the attempt that caused it. */
export interface Transition {
  readonly from: State;
  readonly to: State;
  readonly at: number;
  /** Id of the incident that this transition opens, continues or closes. */
  readonly incident: string | null;
  /** What the world should hear of: the incident opens or closes. A relapse inside an incident is neither. */
  readonly event: 'down' | 'up' | null;
  readonly attempt: Attempt;
}

export interface Judgement {
  readonly health: Health;
  readonly transition: Transition | null;
}

/** What `judge` needs to know beside the attempt. */
export interface Circumstances {
  readonly target: string;
  readonly rules: DownRule & Pick<Rules, 'successThreshold'>;
  /** A target it depends on is not up: failures say nothing of this one, so they open no incident. */
  readonly unreachable: boolean;
  /** What the agent thinks of itself. */
  readonly doubt: Pick<Doubt, 'score' | 'doubtful'>;
  /** An anchor has answered lately, or there is none to ask: what cannot be reached is not cut off on our side. */
  readonly pathWorks: boolean;
  /** Wall clock ms. */
  readonly at: number;
}

export function unknownHealth(at: number): Health {
  return {
    state: 'unknown',
    since: at,
    evidence: NO_EVIDENCE,
    successes: 0,
    incidentAt: null,
    judgedAt: -Infinity,
  };
}

/** The same for as long as the incident lasts; unique per target, and sorts by time: `orders-api-mh9x2k1c`. */
export function incidentId(target: string, openedAt: number): string {
  return `${target}-${openedAt.toString(36)}`;
}

/**
 * The whole decision, pure. Its truth table stands in docs/states.md and is what the tests are generated from.
 * A `void` attempt returns the very same health object. So does one that started before another that has been judged:
 * confirmations overlap, and the newer one knows better. And so does a failure that a doubtful agent sees.
 */
export function judge(health: Health, attempt: Attempt, circumstances: Circumstances): Judgement {
  const { outcome, startedAt } = attempt;
  const { doubtful } = circumstances.doubt;
  const saysNothing = outcome.status === 'void' || (doubtful && outcome.status === 'fail');
  if (saysNothing || startedAt < health.judgedAt) return { health, transition: null };
  const next = isGood(outcome) ? afterGood(health, circumstances) : afterFail(health, attempt, circumstances);
  const judged = { ...next, judgedAt: startedAt };
  if (next.state === health.state) return { health: { ...judged, since: health.since }, transition: null };
  return { health: judged, transition: transitionOf(health, judged, attempt, circumstances) };
}

function isGood(outcome: Outcome): boolean {
  return outcome.status === 'ok' || outcome.status === 'warn';
}

function afterGood(health: Health, { rules, at }: Circumstances): Health {
  const fine = { ...health, since: at, evidence: NO_EVIDENCE };
  switch (health.state) {
    case 'unknown':
    case 'suspect':
    case 'up':
      return { ...fine, state: 'up', successes: 0 };
    case 'down':
    case 'recovering': {
      const successes = health.successes + 1;
      return successes >= rules.successThreshold
        ? { ...fine, state: 'up', successes: 0, incidentAt: null }
        : { ...fine, state: 'recovering', successes };
    }
  }
}

function afterFail(
  health: Health,
  attempt: Attempt,
  { rules, at, unreachable, doubt, pathWorks }: Circumstances,
): Health {
  switch (health.state) {
    case 'unknown':
    case 'up':
    case 'suspect': {
      const suspect: Health = { ...health, state: 'suspect', since: at, successes: 0 };
      if (unreachable) return { ...suspect, evidence: NO_EVIDENCE };
      const evidence = withFailure(health.evidence, classOf(attempt.outcome)!, attempt.startedAt);
      const rule = stretched(rules, doubt.score + 1);
      const proven = provenBy(evidence, rule, attempt.startedAt + attempt.latencyMs);
      return proven === null || (proven === 'path' && !pathWorks)
        ? { ...suspect, evidence }
        : { ...suspect, state: 'down', evidence: NO_EVIDENCE, incidentAt: at };
    }
    case 'down':
    case 'recovering':
      return { ...health, state: 'down', since: at, successes: 0 };
  }
}

function transitionOf(from: Health, to: Health, attempt: Attempt, { target, at }: Circumstances): Transition {
  const openedAt = to.incidentAt ?? from.incidentAt;
  const opens = from.incidentAt === null && to.incidentAt !== null;
  const closes = from.incidentAt !== null && to.incidentAt === null;
  return {
    from: from.state,
    to: to.state,
    at,
    incident: openedAt === null ? null : incidentId(target, openedAt),
    event: opens ? 'down' : closes ? 'up' : null,
    attempt,
  };
}
