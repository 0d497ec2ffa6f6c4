import {
  type Degradation,
  type DegradedRule,
  NO_DEGRADATION,
  complaintOf,
  withGood,
  withoutGood,
} from './degraded.ts';
import type { Doubt } from './doubt.ts';
import { type DownRule, type Evidence, NO_EVIDENCE, withFailure } from './evidence.ts';
import { type Flaps, NO_FLAPS, settledBy, withDown, withUp } from './flapping.ts';
import { type Held, heldBack, provenIn, withheldBy } from './held.ts';
import { NO_INCIDENT, type LastIncident, incidentId, incidentAfter } from './incident.ts';
import { type News, NO_NEWS, newsOf } from './news.ts';
import { type Attempt, type Good, classOf } from './outcome.ts';
import { NO_RECENT, type Recent, withConfirmation, withRegular } from './ratio.ts';
import type { Rules } from './target.ts';
import { NOTHING_TOLD, type Told } from './told.ts';

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
  /** That incident, or the one before: what a relapse goes on with. */
  readonly lastIncident: LastIncident;
  /** Monotonic ms at which the newest attempt that was judged had started. */
  readonly judgedAt: number;
  /** What the last regular attempts came to. */
  readonly recent: Recent;
  readonly flaps: Flaps;
  readonly degradation: Degradation;
  readonly told: Told;
}

/** A change of state, with the attempt that caused it. */
export interface Transition {
  readonly from: State;
  readonly to: State;
  readonly at: number;
  /** Id of the incident that this transition opens, continues or closes. */
  readonly incident: string | null;
  /**
   * The incident opens, closes, or is open again. A failure while it recovers is none of these. Whether it is told, and
   * when, is another thing.
   */
  readonly event: 'down' | 'up' | null;
  readonly attempt: Attempt;
}

export interface Judgement {
  readonly health: Health;
  readonly transition: Transition | null;
  /** In the order in which it is told. */
  readonly news: readonly News[];
  /** What would have followed, and why it did not. */
  readonly held: Held | null;
}

/** What `judge` needs to know beside the attempt. */
export interface Circumstances {
  readonly target: string;
  readonly rules: DownRule & DegradedRule & Pick<Rules, 'successThreshold'>;
  /** The latency from which a good answer is a complaint, ms; null: none is. */
  readonly slowMs: number | null;
  /** A start of the grid, not one while a change of state is pending. */
  readonly regular: boolean;
  /** Openings are held back: it is paused, say. */
  readonly hushed: boolean;
  /** Id of the episode in which many targets fail together; none where none is under way. */
  readonly episode?: string | null;
  /** A target it depends on is not up: failures say nothing of this one, so they open no incident. */
  readonly unreachable: boolean;
  /** Something is done about it, and the verification that it helped has not ended: until then it is not up. */
  readonly unverified: boolean;
  /** When the targets that it depends on were heard of; none where it depends on nothing. */
  readonly dependencies?: Heard | null;
  /** What the agent thinks of itself. */
  readonly doubt: Pick<Doubt, 'score' | 'doubtful'>;
  /** An anchor has answered lately, or there is none to ask: what cannot be reached is not cut off on our side. */
  readonly pathWorks: boolean;
  /** Wall clock ms. */
  readonly at: number;
}

/** Of the targets that one depends on. */
export interface Heard {
  /** Monotonic ms: attempts that started up to then have been judged, of each of them. */
  readonly at: number;
  /** How long they are waited for, ms. */
  readonly patienceMs: number;
}

export function unknownHealth(at: number): Health {
  return {
    state: 'unknown',
    since: at,
    evidence: NO_EVIDENCE,
    successes: 0,
    incidentAt: null,
    lastIncident: NO_INCIDENT,
    judgedAt: -Infinity,
    recent: NO_RECENT,
    flaps: NO_FLAPS,
    degradation: NO_DEGRADATION,
    told: NOTHING_TOLD,
  };
}

/** Nothing judged for so many intervals is old. */
const OLD_INTERVALS = 3;

/** By `now`, monotonic ms: what is believed is what was known last. */
export function isOld({ judgedAt }: Health, intervalMs: number, now: number): boolean {
  return now - judgedAt > OLD_INTERVALS * intervalMs;
}

/** The same with full grace: whatever speaks against the target up to now counts no more. */
export function forgiven(health: Health): Health {
  return { ...health, evidence: NO_EVIDENCE, recent: NO_RECENT };
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
  if (saysNothing || startedAt < health.judgedAt) {
    const held = outcome.status === 'fail' && doubtful ? heldBack(health, attempt, circumstances) : null;
    return { health, transition: null, news: NO_NEWS, held };
  }
  const seen =
    outcome.status === 'fail'
      ? afterFail(health, attempt, circumstances)
      : afterGood(health, { ...attempt, outcome }, circumstances);
  const since = seen.state === health.state ? health.since : circumstances.at;
  const judged = { ...seen, since, judgedAt: startedAt, flaps: flapsOf(health, seen, endOf(attempt)) };
  const { told, news } = newsOf(health, judged, attempt, circumstances);
  const transition =
    judged.state === health.state ? null : transitionOf(health, judged, attempt, circumstances);
  const next = told === judged.told ? judged : { ...judged, told };
  return { health: next, transition, news, held: heldBack(next, attempt, circumstances) };
}

function endOf({ startedAt, latencyMs }: Attempt): number {
  return startedAt + latencyMs;
}

function afterGood(
  health: Health,
  { outcome, startedAt, latencyMs }: Attempt & { readonly outcome: Good },
  { rules, regular, slowMs, unverified }: Circumstances,
): Health {
  const recent = regular
    ? withRegular(health.recent, { startedAt, failed: null })
    : withConfirmation(health.recent, { isGood: true });
  const complaint = complaintOf(outcome, latencyMs, slowMs);
  const fine = {
    ...health,
    evidence: NO_EVIDENCE,
    recent,
    degradation: withGood(health.degradation, complaint, recent, rules),
  };
  switch (health.state) {
    case 'unknown':
    case 'suspect':
    case 'up':
      return { ...fine, state: 'up', successes: 0 };
    case 'down':
    case 'recovering': {
      const successes = health.successes + 1;
      return successes >= rules.successThreshold && !unverified
        ? // What brought it down is over: it would bring it down again otherwise.
          { ...fine, state: 'up', successes: 0, incidentAt: null, recent: NO_RECENT }
        : { ...fine, state: 'recovering', successes };
    }
  }
}

function afterFail(health: Health, attempt: Attempt, circumstances: Circumstances): Health {
  const { at, unreachable, regular } = circumstances;
  switch (health.state) {
    case 'unknown':
    case 'up':
    case 'suspect': {
      const suspect: Health = { ...health, state: 'suspect', successes: 0 };
      if (unreachable) return { ...suspect, evidence: NO_EVIDENCE, recent: NO_RECENT };
      const { startedAt } = attempt;
      const failed = classOf(attempt.outcome)!;
      const recent = regular
        ? withRegular(health.recent, { startedAt, failed })
        : withConfirmation(health.recent, { isGood: false });
      const evidence = withFailure(health.evidence, failed, startedAt);
      const degradation = withoutGood(health.degradation, recent);
      const found = { evidence, recent };
      const isDown =
        provenIn(found, circumstances, endOf(attempt)) !== null &&
        withheldBy(found, circumstances, endOf(attempt)) === null;
      if (!isDown) return { ...suspect, evidence, recent, degradation };
      const lastIncident = incidentAfter(health.lastIncident, endOf(attempt) - health.flaps.changedAt, at);
      const opened = { incidentAt: lastIncident.at, lastIncident, evidence: NO_EVIDENCE };
      return { ...suspect, ...opened, state: 'down', recent, degradation };
    }
    case 'down':
    case 'recovering':
      return { ...health, state: 'down', successes: 0 };
  }
}

function flapsOf({ state: before, flaps }: Health, { state: after }: Health, at: number): Flaps {
  if (after === 'down' && before !== 'down') return withDown(flaps, at);
  if (after === 'up' && before !== 'up' && before !== 'suspect') return settledBy(withUp(flaps, at), at);
  return settledBy(flaps, at);
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
