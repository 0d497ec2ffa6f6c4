import { type Explanation, type Judged, explain } from '../core/explain.ts';
import type { Target } from '../core/target.ts';
import type { View } from '../core/view.ts';
import type { RecoveryStatus } from './recovery.ts';
import { type Route, fine, iso, unknownTarget } from './routes.ts';

export interface Explained {
  view(target: string): View | undefined;
  history(target: string): readonly Judged[];
  targets(): readonly Pick<Target, 'name' | 'group'>[];
  /** Null where it has no steps. */
  recovery(target: string): RecoveryStatus | null;
}

/** The answer to `GET /api/v1/targets/NAME/explanation`. */
export interface ExplanationAnswer extends Omit<Explanation, 'history'> {
  /** ISO 8601, UTC: when it was answered. */
  readonly at: string;
  readonly history: readonly JudgedAnswer[];
  readonly recovery: RecoveryStatus | null;
}

export interface JudgedAnswer extends Omit<Judged, 'at' | 'first_at'> {
  readonly at: string;
  readonly first_at: string;
}

export function explanationRoute(agent: Explained): Route {
  return {
    method: 'GET',
    path: '/api/v1/targets/:name/explanation',
    answer({ params: { name = '' } }) {
      const view = agent.view(name);
      if (!view) return unknownTarget(name, agent.targets());
      const { history, ...rest } = explain(view, agent.history(name));
      const answer: ExplanationAnswer = {
        at: iso(view.at),
        ...rest,
        recovery: agent.recovery(name),
        history: history.map((judged) => ({ ...judged, first_at: iso(judged.first_at), at: iso(judged.at) })),
      };
      return fine(answer);
    },
  };
}
