import type { News, NewsSubject } from '../core/news.ts';
import { openedAt } from '../core/incident.ts';
import type { HookEvent } from '../core/hook.ts';
import { classOf, reasonOf } from '../core/outcome.ts';

export function hookEvent(subject: NewsSubject, news: News): HookEvent {
  const { event, incident, correlated, attempt, at } = news;
  // An incident is told as down once, and as up once; it may flap more often.
  const isOfIncident = event === 'down' || event === 'up';
  const about = isOfIncident ? incident : `${subject.name}-${at.toString(36)}`;
  return {
    id: `${about}/${event}`,
    event,
    kind: subject.kind ?? 'target',
    target: subject.name,
    group: subject.group ?? null,
    labels: subject.labels,
    purpose: subject.purpose,
    probe: subject.probe.kind,
    state: news.state,
    from: news.from,
    reason: reasonOf(attempt.outcome),
    class: classOf(attempt.outcome),
    message: news.message,
    incident,
    correlated,
    attempt: attempt.number,
    at: new Date(at).toISOString(),
    since: new Date(isOfIncident || event === 'gave_up' ? openedAt(incident!) : at).toISOString(),
  };
}
