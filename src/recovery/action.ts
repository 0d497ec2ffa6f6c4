import type { ActionRow } from '../core/action.ts';
import type { Health } from '../core/health.ts';
import { type Attempt, classOf, reasonOf } from '../core/outcome.ts';
import type { Mode } from '../core/policy.ts';
import type { Action, Step } from '../core/step.ts';
import type { Target } from '../core/target.ts';

export interface ActionOptions {
  readonly incident: string;
  readonly step: Step;
  /** Which attempt of its step it is, from 1. */
  readonly nth: number;
  readonly health: Health;
  readonly failure: Attempt;
  /** Wall clock ms. */
  readonly at: number;
}

/** The action as its step is told of it. */
export function actionOf(
  target: Target,
  { incident, step, nth, health, failure, at }: ActionOptions,
): Action {
  const { outcome, number } = failure;
  return {
    id: `${incident}/${at.toString(36)}`,
    event: 'recover',
    target: target.name,
    group: target.group ?? null,
    labels: target.labels,
    purpose: target.purpose,
    probe: target.probe.kind,
    state: health.state,
    reason: reasonOf(outcome),
    class: classOf(outcome),
    message: outcome.message,
    incident,
    step: step.name,
    try: nth,
    attempt: number,
    at: new Date(at).toISOString(),
    since: new Date(health.incidentAt ?? at).toISOString(),
  };
}

/** The same as it is kept: an intent. `what` is what it would do, in words. */
export function intentOf(
  action: Action,
  step: Step,
  { group, mode, what }: { readonly group: string; readonly mode: Mode; readonly what: string },
): ActionRow {
  return {
    id: action.id,
    target: action.target,
    group,
    incident: action.incident,
    step: step.name,
    kind: step.kind,
    try: action.try,
    mode,
    asks: step.asks,
    class: action.class,
    reason: action.reason,
    what,
    at: Date.parse(action.at),
    since: Date.parse(action.since),
    counted: true,
    ended: null,
    result: null,
    detail: '',
    output: '',
    outcome: null,
    why: '',
    decided: null,
  };
}
