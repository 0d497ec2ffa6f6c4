import type { Trouble } from './doubt.ts';
import { stretched, windowOf } from './evidence.ts';
import { penaltyAt } from './flapping.ts';
import {
  type Consequence,
  OUTCOME_NAMES,
  type OutcomeName,
  type Outlook,
  outlook,
  prospects,
} from './forecast.ts';
import { type GateState, gatesOf, whyHeld } from './gates.ts';
import type { State } from './health.ts';
import type { Held } from './held.ts';
import type { HookEventName } from './hook.ts';
import { incidentId } from './incident.ts';
import { EVIDENCE_CLASSES, type EvidenceClass, type Reason, type Status } from './outcome.ts';
import { failuresIn } from './ratio.ts';
import { type ContractTerms, termsOf } from './terms.ts';
import type { Told } from './told.ts';
import type { View } from './view.ts';

/**
 * Why a target is believed to be what it is, and what would have to happen for that to change. It is what the API answers,
 * key for key. All times are ms from the moment of the answer: `in_ms` after it, `ago_ms` before it.
 */
export interface Explanation {
  readonly target: string;
  readonly group: string | null;
  readonly probe: string;
  readonly state: State;
  readonly since_ago_ms: number;
  readonly incident: string | null;
  /** What the world was told and has not been told otherwise since. */
  readonly told: Told;
  readonly rule: RuleInForce;
  /** Where the interval and the windows are from; null where they are written. */
  readonly contract: ContractTerms | null;
  /** What speaks against it, by class, where anything does. */
  readonly evidence: readonly EvidenceFor[];
  /** Of the last ten regular attempts. */
  readonly recent: { readonly failures: number; readonly of: number };
  /** Good attempts in a row since it was down. */
  readonly successes: number;
  readonly degraded: string | null;
  readonly flaps: { readonly flapping: boolean; readonly penalty: number };
  readonly doubt: {
    readonly score: number;
    readonly doubtful: boolean;
    readonly troubles: readonly { readonly trouble: string; readonly ago_ms: number }[];
  };
  readonly gates: readonly GateState[];
  /** The attempts that may be judged next: those under way, and the planned one. */
  readonly next: readonly NextAttempt[];
  /** When it would be down, or up again, if from now on every attempt came to the same. */
  readonly outlook: readonly OutlookFor[];
  /** The last judgements, newest last. */
  readonly history: readonly Judged[];
}

export interface RuleInForce {
  readonly interval_ms: number;
  readonly timeout_ms: number;
  readonly retry_interval_ms: number;
  readonly failure_threshold: number;
  readonly success_threshold: number;
  /** How long failures of each class have to last now, and by how much that is more than what was written. */
  readonly windows_ms: Readonly<Record<EvidenceClass, number>>;
  readonly stretched_by: number;
  /** After how long without an answer it is asked again; null: it is not. */
  readonly suspect_after_ms: number | null;
  /** From which latency on a good answer is a complaint; null: none is. */
  readonly slow_from_ms: number | null;
}

export interface EvidenceFor {
  readonly class: EvidenceClass;
  readonly failures: number;
  /** From the start of the first failure until now. */
  readonly lasted_ms: number;
  readonly window_ms: number;
}

export interface NextAttempt {
  readonly in_ms: number;
  readonly under_way: boolean;
  readonly outcomes: readonly OutcomeOfNext[];
}

export interface OutcomeOfNext {
  readonly outcome: OutcomeName;
  /** It has to end that much later at least; null: whenever it ends. */
  readonly from_ms: number | null;
  readonly state: State;
  readonly news: readonly HookEventName[];
  readonly held: string | null;
}

export interface OutlookFor {
  readonly outcome: 'ok' | EvidenceClass;
  readonly state: State;
  /** Null where it is held back, or out of sight. */
  readonly attempts: number | null;
  readonly in_ms: number | null;
  readonly held: string | null;
}

/** What one attempt came to, or several in a row that came to the same: then all but `times` and `first_at` is the newest's. */
export interface Judged {
  readonly attempt: number;
  readonly times: number;
  /** Wall clock ms of their starts: the first's, and the newest's. */
  readonly first_at: number;
  readonly at: number;
  readonly status: Status;
  readonly reason: Reason | null;
  readonly class: EvidenceClass | null;
  readonly message: string;
  readonly latency_ms: number;
  /** The one after it. */
  readonly state: State;
  /** What spoke against the target, this attempt included. */
  readonly evidence: readonly {
    readonly class: EvidenceClass;
    readonly failures: number;
    readonly lasted_ms: number;
  }[];
  /** Failures among the last ten regular attempts. */
  readonly of_last_ten: number;
  readonly held: string | null;
}

export function explain(view: View, history: readonly Judged[]): Explanation {
  const { target, health, reasons, standing, at } = view;
  const { now } = standing;
  const { doubt } = reasons;
  const { rules } = target;
  const { confirm } = stretched(rules, doubt.score + 1);
  return {
    target: target.name,
    group: target.group ?? null,
    probe: target.probe.kind,
    state: health.state,
    since_ago_ms: at - health.since,
    incident: health.incidentAt === null ? null : incidentId(target.name, health.incidentAt),
    told: health.told,
    rule: {
      interval_ms: rules.intervalMs,
      timeout_ms: rules.timeoutMs,
      retry_interval_ms: rules.retryIntervalMs,
      failure_threshold: rules.failureThreshold,
      success_threshold: rules.successThreshold,
      windows_ms: confirm,
      stretched_by: doubt.score + 1,
      suspect_after_ms: view.suspectAfterMs === null ? null : Math.round(view.suspectAfterMs),
      slow_from_ms: view.slowMs === null ? null : Math.round(view.slowMs),
    },
    contract: target.contract && view.chosen ? termsOf(target.contract, view.chosen) : null,
    evidence: EVIDENCE_CLASSES.flatMap((cls) => {
      const run = health.evidence[cls];
      if (!run) return [];
      const lasted = Math.round(now - run.since);
      const window = windowOf(cls, health.evidence, confirm);
      return [{ class: cls, failures: run.count, lasted_ms: lasted, window_ms: window }];
    }),
    recent: { failures: failuresIn(health.recent), of: health.recent.length },
    successes: health.successes,
    degraded: health.degradation.because,
    flaps: {
      flapping: health.flaps.flapping,
      penalty: Math.round(penaltyAt(health.flaps, now)),
    },
    doubt: {
      score: doubt.score,
      doubtful: doubt.doubtful,
      troubles: (Object.entries(doubt.counted) as [Trouble, number][]).map(([trouble, when]) => ({
        trouble,
        ago_ms: Math.round(now - when),
      })),
    },
    gates: gatesOf(reasons),
    next: nextOf(view),
    outlook: outlooksOf(view),
    history,
  };
}

function nextOf(view: View): NextAttempt[] {
  const { reasons, standing } = view;
  const held = (one: Held | null): string | null => one && whyHeld(one, reasons);
  return prospects(view).map(({ startsAt, isUnderWay, outcomes }) => ({
    in_ms: Math.round(startsAt - standing.now),
    under_way: isUnderWay,
    outcomes: OUTCOME_NAMES.flatMap((outcome) =>
      outcomes[outcome].map((consequence: Consequence, index) => ({
        outcome,
        from_ms: index === 0 ? null : Math.round(consequence.from - standing.now),
        state: consequence.state,
        news: consequence.news,
        held: held(consequence.held),
      })),
    ),
  }));
}

function outlooksOf(view: View): OutlookFor[] {
  const isOpen = view.health.incidentAt !== null;
  const state = isOpen ? 'up' : 'down';
  return (isOpen ? (['ok'] as const) : EVIDENCE_CLASSES).map((outcome) => {
    const found: Outlook | Held | null = outlook(view, outcome, state);
    const isHeld = found !== null && 'gate' in found;
    return {
      outcome,
      state,
      attempts: found && !isHeld ? found.attempts : null,
      in_ms: found && !isHeld ? Math.round(found.at - view.standing.now) : null,
      held: isHeld ? whyHeld(found, view.reasons) : null,
    };
  });
}
