import type { Transition } from '../core/health.ts';
import type { HookEvent } from '../core/hook.ts';
import { classOf, reasonOf } from '../core/outcome.ts';
import type { Target } from '../core/target.ts';

/** What the world is told, or null where a transition neither opens nor closes an incident. */
export function hookEvent(target: Target, transition: Transition): HookEvent | null {
  const { event, incident, attempt } = transition;
  if (event === null || incident === null) return null;
  return {
    id: `${incident}/${event}`,
    event,
    target: target.name,
    group: target.group ?? null,
    labels: target.labels,
    purpose: target.purpose,
    probe: target.probe.kind,
    state: transition.to,
    from: transition.from,
    reason: reasonOf(attempt.outcome),
    class: classOf(attempt.outcome),
    message: attempt.outcome.message,
    incident,
    attempt: attempt.number,
    at: new Date(transition.at).toISOString(),
  };
}
