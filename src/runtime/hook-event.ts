import type { News, NewsSubject } from '../core/news.ts';
import { openedAt, tellingId } from '../core/incident.ts';
import type { HookEvent } from '../core/hook.ts';
import { classOf, reasonOf } from '../core/outcome.ts';

export function hookEvent(subject: NewsSubject, news: News): HookEvent {
  const { event, incident, relapses, correlated, attempt, at } = news;
  const isOfIncident = event === 'down' || event === 'up';
  return {
    id: isOfIncident ? tellingId(incident!, event, relapses) : `${subject.name}-${at.toString(36)}/${event}`,
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
    relapses,
    attempt: attempt.number,
    at: new Date(at).toISOString(),
    since: new Date(isOfIncident || event === 'gave_up' ? openedAt(incident!) : at).toISOString(),
  };
}
