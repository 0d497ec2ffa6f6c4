import type { ActionRow } from '../core/action.ts';
import { type StepEffect, effectsOf } from '../core/effect.ts';
import type { IncidentRow, Store, TimelineRow } from '../core/store.ts';
import { type Answer, type Route, fine, iso, refused } from './routes.ts';

/** The answer to `GET /api/v1/incidents`, the newest first. Its keys are a contract: they stay. */
export interface IncidentsAnswer {
  readonly at: string;
  readonly incidents: readonly IncidentStatus[];
}

export interface IncidentStatus extends Omit<IncidentRow, 'opened' | 'closed'> {
  readonly opened: string;
  readonly closed: string | null;
}

/** The answer to `GET /api/v1/incidents/ID`. */
export interface IncidentAnswer {
  readonly at: string;
  readonly incident: IncidentStatus;
  /** What happened, the oldest first. */
  readonly timeline: readonly { readonly at: string; readonly what: string; readonly detail: string }[];
  readonly actions: readonly ActionStatus[];
}

export interface ActionStatus extends Pick<
  ActionRow,
  'id' | 'step' | 'kind' | 'try' | 'mode' | 'what' | 'result' | 'detail' | 'output' | 'outcome' | 'why'
> {
  readonly at: string;
  readonly ended: string | null;
  readonly decided: string | null;
}

/** The answer to `GET /api/v1/steps`: what each step has achieved, by the actions that are kept. */
export interface StepsAnswer {
  readonly at: string;
  readonly steps: readonly StepEffect[];
}

const FEW = 50;
const MOST = 1_000;

export function incidentRoutes(store: Pick<Store, 'list'>, wallTime: () => number): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/incidents',
      async answer({ query }) {
        const limit = Number(query['limit'] ?? FEW);
        if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
          return refused(400, `limit: a whole number from 1 to ${MOST}`);
        }
        const { target } = query;
        return await readable(async () => {
          const where = typeof target === 'string' ? { where: { target } } : {};
          const rows = await store.list('incident', { limit, ...where });
          return fine({ at: iso(wallTime()), incidents: rows.map(statusOf) } satisfies IncidentsAnswer);
        });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/incidents/:id',
      answer: ({ params: { id = '' } }) =>
        readable(async () => {
          // An id says whose incident it is.
          const target = id.slice(0, id.lastIndexOf('-'));
          const rows = await store.list('incident', { limit: MOST, where: { target } });
          const row = rows.find((one) => one.id === id);
          if (!row) return refused(404, `there is no incident "${id}"`);
          const where = { incident: id };
          const timeline = await store.list('timeline', { limit: MOST, where });
          const actions = await store.list('action', { limit: MOST, where });
          return fine({
            at: iso(wallTime()),
            incident: statusOf(row),
            // What happened at the same moment stays in the order in which it happened.
            timeline: timeline
              .toReversed()
              .toSorted((a, b) => a.at - b.at)
              .map(entryOf),
            actions: actions.toSorted((a, b) => a.at - b.at).map(actionOf),
          } satisfies IncidentAnswer);
        }),
    },
    {
      method: 'GET',
      path: '/api/v1/steps',
      answer: () =>
        readable(async () => {
          const actions = await store.list('action', { limit: 10 * MOST });
          return fine({ at: iso(wallTime()), steps: effectsOf(actions) } satisfies StepsAnswer);
        }),
    },
  ];
}

async function readable(answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    return refused(503, `the state cannot be read: ${(error as Error).message}`);
  }
}

function statusOf({ opened, closed, ...rest }: IncidentRow): IncidentStatus {
  return { ...rest, opened: iso(opened), closed: isoOrNull(closed) };
}

function entryOf({ at, what, detail }: TimelineRow): IncidentAnswer['timeline'][number] {
  return { at: iso(at), what, detail };
}

function actionOf(row: ActionRow): ActionStatus {
  const { id, step, kind, mode, what, result, detail, output, outcome, why, at, ended, decided } = row;
  return {
    id,
    step,
    kind,
    try: row.try,
    mode,
    what,
    result,
    detail,
    output,
    outcome,
    why,
    at: iso(at),
    ended: isoOrNull(ended),
    decided: isoOrNull(decided),
  };
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
