import type { News } from '../core/news.ts';
import { openedAt } from '../core/incident.ts';
import type { HookEvent } from '../core/hook.ts';
import { classOf, reasonOf } from '../core/outcome.ts';
import type { Target } from '../core/target.ts';

export function hookEvent(target: Target, news: News): HookEvent {
  const { event, incident, attempt, at } = news;
  // An incident is told as down once, and as up once; it may flap more often.
  const isOfIncident = event === 'down' || event === 'up';
  const about = isOfIncident ? incident : `${target.name}-${at.toString(36)}`;
  return {
    id: `${about}/${event}`,
    event,
    target: target.name,
    group: target.group ?? null,
    labels: target.labels,
    purpose: target.purpose,
    probe: target.probe.kind,
    state: news.state,
    from: news.from,
    reason: reasonOf(attempt.outcome),
    class: classOf(attempt.outcome),
    message: news.message,
    incident,
    attempt: attempt.number,
    at: new Date(at).toISOString(),
    since: new Date(isOfIncident ? openedAt(incident!) : at).toISOString(),
  };
}
