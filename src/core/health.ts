import type { Attempt, Outcome } from './outcome.ts';
import type { Rules } from './target.ts';

/** What we believe of a target. */
export type State = 'unknown' | 'up' | 'suspect' | 'down' | 'recovering';

export interface Health {
  readonly state: State;
  /** Wall clock ms of the last change of state. */
  readonly since: number;
  /** Attempts in a row that speak against the settled state: failures while suspect, good ones while recovering. */
  readonly streak: number;
  /** Wall clock ms at which the open incident began; it stays until the target is verified up again. */
  readonly incidentAt: number | null;
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
  readonly rules: Pick<Rules, 'failureThreshold' | 'successThreshold'>;
  /** A target it depends on is not up: failures say nothing of this one, so they open no incident. */
  readonly unreachable: boolean;
  /** Wall clock ms. */
  readonly at: number;
}

export function unknownHealth(at: number): Health {
  return { state: 'unknown', since: at, streak: 0, incidentAt: null };
}

/** The same for as long as the incident lasts; unique per target, and sorts by time: `orders-api-mh9x2k1c`. */
export function incidentId(target: string, openedAt: number): string {
  return `${target}-${openedAt.toString(36)}`;
}

/** A change of state is under way: attempts come at `retry_interval`. */
export function isPending(state: State): boolean {
  return state === 'suspect' || state === 'recovering';
}

/**
 * The whole decision, pure. Its truth table stands in docs/states.md and is what the tests are generated from.
 * A `void` attempt returns the very same health object.
 */
export function judge(health: Health, attempt: Attempt, circumstances: Circumstances): Judgement {
  if (attempt.outcome.status === 'void') return { health, transition: null };
  const next = isGood(attempt.outcome) ? afterGood(health, circumstances) : afterFail(health, circumstances);
  if (next.state === health.state) return { health: { ...next, since: health.since }, transition: null };
  return { health: next, transition: transitionOf(health, next, attempt, circumstances) };
}

function isGood(outcome: Outcome): boolean {
  return outcome.status === 'ok' || outcome.status === 'warn';
}

function afterGood(health: Health, { rules, at }: Circumstances): Health {
  switch (health.state) {
    case 'unknown':
    case 'suspect':
    case 'up':
      return { ...health, state: 'up', since: at, streak: 0 };
    case 'down':
    case 'recovering': {
      const streak = health.streak + 1;
      return streak >= rules.successThreshold
        ? { state: 'up', since: at, streak: 0, incidentAt: null }
        : { ...health, state: 'recovering', since: at, streak };
    }
  }
}

function afterFail(health: Health, { rules, at, unreachable }: Circumstances): Health {
  switch (health.state) {
    case 'unknown':
    case 'up':
    case 'suspect': {
      if (unreachable) return { ...health, state: 'suspect', since: at, streak: 0 };
      const streak = health.streak + 1;
      return streak >= rules.failureThreshold
        ? { ...health, state: 'down', since: at, streak: 0, incidentAt: at }
        : { ...health, state: 'suspect', since: at, streak };
    }
    case 'down':
    case 'recovering':
      return { ...health, state: 'down', since: at, streak: 0 };
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
