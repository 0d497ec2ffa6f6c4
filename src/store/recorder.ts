import type { Clock } from '../core/clock.ts';
import type { Transition } from '../core/health.ts';
import { groupIncidentId } from '../core/group.ts';
import { incidentId, openedAt } from '../core/incident.ts';
import type { Observer } from '../core/observer.ts';
import { type Outcome, classOf, reasonOf } from '../core/outcome.ts';
import type { RecoveryReport } from '../core/recovery.ts';
import type { IncidentRow, Store } from '../core/store.ts';

/** Writes down incidents, and what happens in them. */
export function createRecorder({
  store,
  clock,
}: {
  readonly store: Pick<Store, 'kept' | 'put'>;
  readonly clock: Pick<Clock, 'wallTime'>;
}): Observer {
  /** By target, the failure that made it suspect. */
  const suspicions = new Map<string, Transition>();
  /** Targets of whose incident the agent sees nothing at the moment. */
  const blind = new Set<string>();

  function happened(
    incident: string,
    target: string,
    what: string,
    detail: string,
    at = clock.wallTime(),
    key: string | null = null,
  ): void {
    store.put('timeline', key, { incident, target, at, what, detail });
  }

  function open(
    id: string,
    { name, group = null }: { name: string; group?: string | null | undefined },
    outcome: Outcome,
    message: string,
  ): void {
    const before = store.kept('incident').get(id);
    // It goes on: how it began is known.
    if (before) return store.put('incident', id, { ...before, closed: null, end: null });
    store.put('incident', id, {
      id,
      target: name,
      group,
      opened: openedAt(id),
      closed: null,
      end: null,
      reason: reasonOf(outcome),
      class: classOf(outcome),
      message,
      correlated: null,
    });
  }

  function close(id: string, closed: number, end: IncidentRow['end']): void {
    const row = store.kept('incident').get(id);
    if (row) store.put('incident', id, { ...row, closed, end });
  }

  function abandon(id: string, target: string, why: string): void {
    happened(id, target, 'abandoned', why);
    close(id, clock.wallTime(), 'abandoned');
  }

  // An end that was lost, with the file or with the last second.
  const going = new Set([...store.kept('target').values()].map(({ incident }) => incident));
  for (const [name, { incidentAt }] of store.kept('group'))
    if (incidentAt !== null) going.add(groupIncidentId(name, incidentAt));
  for (const { id, target, closed } of store.kept('incident').values()) {
    if (closed === null && !going.has(id)) abandon(id, target, 'it was not followed to its end');
  }

  return {
    onAttempt({ name }, { outcome }, { incidentAt }) {
      if (outcome.status !== 'void') return void blind.delete(name);
      if (incidentAt === null || blind.has(name)) return;
      blind.add(name);
      happened(incidentId(name, incidentAt), name, 'no verdict', outcome.message);
    },
    onTransition({ name, group }, transition) {
      const { from, to, at, incident, event, attempt } = transition;
      if (to === 'suspect') suspicions.set(name, transition);
      if (to === 'up') suspicions.delete(name);
      if (incident === null) return;
      const { outcome } = attempt;
      const reason = reasonOf(outcome);
      let isRelapse = to === 'down' && from === 'recovering';
      const said = reason === null ? outcome.message : `${reason}: ${outcome.message}`;
      if (event === 'down') {
        isRelapse = store.kept('incident').has(incident);
        open(incident, { name, group }, outcome, outcome.message);
        const first = suspicions.get(name);
        suspicions.delete(name);
        if (first) happened(incident, name, 'first failure', first.attempt.outcome.message, first.attempt.at);
      }
      happened(incident, name, isRelapse ? 'relapse' : to, said, at);
      if (event === 'up') close(incident, at, 'up');
    },
    onNews({ kind, name, group }, { incident, event, at, message, correlated, attempt }) {
      if (incident === null) return;
      // Of a group there are no transitions.
      if (kind === 'group' && event === 'down') open(incident, { name, group }, attempt.outcome, message);
      const row = store.kept('incident').get(incident);
      if (row && row.correlated !== correlated && event === 'down')
        store.put('incident', incident, { ...row, correlated });
      happened(incident, name, 'told', event, at);
      if (kind === 'group' && event === 'up') close(incident, at, 'up');
    },
    onHook({ target, hook, event, ok, tries, detail }) {
      if (event.incident === null) return;
      const how = ok ? 'done' : 'failed';
      happened(
        event.incident,
        target,
        'hook',
        `${hook} on ${event.event}, ${how} (tries: ${tries}): ${detail}`,
      );
    },
    onRecovery(report) {
      const entry = entryOf(report);
      if (!entry || !('target' in report)) return;
      const { incident, target } = report;
      // What is said again and again is one entry, that counts.
      if (report.what === 'outcome' && report.action.vetoes !== undefined) {
        happened(incident, target, 'recovery', entry, report.action.at, report.action.id);
      } else happened(incident, target, 'recovery', entry);
    },
    onDoubt({ doubtful }, because) {
      const what = doubtful
        ? `the agent doubts itself: ${because ?? 'many small troubles'}`
        : 'the agent is sure of itself again';
      for (const { id, target, closed } of store.kept('incident').values())
        if (closed === null) happened(id, target, 'doubt', what);
    },
    onAbandoned(target, incident) {
      suspicions.delete(target);
      abandon(incident, target, 'it is in the configuration no more');
    },
  };
}

/** What of recovery belongs into the story of an incident. */
function entryOf(report: RecoveryReport): string | null {
  switch (report.what) {
    case 'held':
      return `held: ${report.holds.map(({ why }) => why).join('; ')}`;
    case 'begins':
      return `${report.action.step}, attempt ${report.action.try}${report.action.mode === 'dry_run' ? ' (dry run)' : ''}: ${report.action.what}`;
    case 'acted':
      return `${report.action.step} ${report.action.result}: ${report.action.detail}`;
    case 'outcome':
      return `${report.action.step} ${report.action.outcome}${timesOf(report.action.vetoes)}: ${report.action.why}`;
    case 'refused':
      return `refused: ${report.why}`;
    case 'gave_up':
      return `gave up${report.mode === 'dry_run' ? ' (dry run)' : ''}: ${report.why}`;
    case 're_armed':
      return `armed again: ${report.why}`;
    default:
      return null;
  }
}

function timesOf(vetoes = 1): string {
  return vetoes === 1 ? '' : ` ${vetoes} times`;
}
