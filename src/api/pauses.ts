import { type Pause, type Scope, type ScheduledWindow, coverageOf, scopeKey } from '../core/pause.ts';
import { plain } from '../core/plain.ts';
import type { Target } from '../core/target.ts';
import { MAX_DURATION_MS, parseDuration } from '../core/units.ts';
import { type Answer, type Route, fine, iso, refused, unknownName, unknownTarget } from './routes.ts';

/** What of the agent has to do with pauses. */
export interface Pausing {
  now(): number;
  wallTime(): number;
  targets(): readonly Target[];
  pause(
    wish: Pick<Pause, 'scope' | 'reason' | 'by' | 'untilHealthy' | 'drain'> & { readonly forMs: number },
  ): Pause;
  resume(scope: Scope, by: string): { readonly ended: readonly Pause[]; readonly left: readonly Pause[] };
  pauses(): readonly Pause[];
  windows(): readonly ScheduledWindow[];
  /** True once all of it would outlive the agent. */
  commit(): Promise<boolean>;
}

/** The answer to `GET /api/v1/pauses`. Its keys are a contract: they stay. */
export interface PausesAnswer {
  readonly at: string;
  readonly pauses: readonly PauseStatus[];
  readonly maintenance: readonly WindowStatus[];
}

export interface PauseStatus {
  /** One of the three is there. */
  readonly target?: string;
  readonly group?: string;
  readonly all?: true;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
  readonly until: string;
  readonly left_ms: number;
  readonly until_healthy: boolean;
  /** Its targets are out of what is published. */
  readonly drain: boolean;
  /** Names of the targets that it covers, and which of them it does not hold back any more. */
  readonly targets: readonly string[];
  readonly released: readonly string[];
}

export interface WindowStatus {
  readonly reason: string;
  readonly open: boolean;
  readonly from: string;
  readonly until: string;
  readonly zone: string;
  readonly targets: readonly string[];
}

/** The answer to `POST /api/v1/pauses`. */
export interface PauseAnswer extends PauseStatus {
  /** It outlives a restart of the agent. */
  readonly kept: boolean;
}

/** The answer to `DELETE /api/v1/pauses`. */
export interface ResumeAnswer {
  readonly kept: boolean;
  readonly ended: readonly PauseStatus[];
  /** Pauses that go on for others. */
  readonly left: readonly PauseStatus[];
}

const PATH = '/api/v1/pauses';
/** Characters of a reason, or of who gives it. */
const LONGEST = 200;

export function pauseRoutes(agent: Pausing): Route[] {
  /** Of thousands of pauses each is asked whom it covers. */
  const shownBy = (): ((pause: Pause) => PauseStatus) => {
    const covered = coverageOf(agent.targets());
    return (pause) => pauseStatus(pause, covered(pause.scope), agent);
  };
  return [
    {
      method: 'GET',
      path: PATH,
      answer: () =>
        fine({
          at: iso(agent.wallTime()),
          pauses: agent.pauses().map(shownBy()),
          maintenance: agent.windows().map(windowStatus),
        } satisfies PausesAnswer),
    },
    {
      method: 'POST',
      path: PATH,
      async answer({ body }) {
        const wish = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
        const scope = scopeOf(wish, agent.targets());
        if (isAnswer(scope)) return scope;
        const forMs = typeof wish['for'] === 'string' ? parseDuration(wish['for']) : undefined;
        if (forMs === undefined || forMs === 0 || forMs > MAX_DURATION_MS)
          return refused(400, 'for: a duration such as 30m is needed');
        const [reason, by] = [said(wish['reason']), said(wish['by'])];
        if (reason === undefined) return refused(400, 'reason: it has to be said why');
        if (by === undefined) return refused(400, 'by: it has to be said who asks for it');
        const untilHealthy = wish['until_healthy'] === true;
        const drain = wish['drain'] === true;
        const pause = shownBy()(agent.pause({ scope, forMs, reason, by, untilHealthy, drain }));
        return fine({ ...pause, kept: await agent.commit() } satisfies PauseAnswer);
      },
    },
    {
      method: 'DELETE',
      path: PATH,
      async answer({ query }) {
        const scope = scopeOf({ ...query, ...(query['all'] === 'true' && { all: true }) }, agent.targets());
        if (isAnswer(scope)) return scope;
        const { ended, left } = agent.resume(scope, said(query['by']) ?? 'the API');
        const shown = shownBy();
        const answer = { ended: ended.map(shown), left: left.map(shown) };
        return fine({ ...answer, kept: await agent.commit() } satisfies ResumeAnswer);
      },
    },
  ];
}

function isAnswer(value: Scope | Answer): value is Answer {
  return 'status' in value;
}

/** Whom it is about, or why that cannot be. */
function scopeOf(
  { target, group, all }: Readonly<Record<string, unknown>>,
  targets: readonly Target[],
): Scope | Answer {
  const given = [target, group, all].filter((one) => one !== undefined);
  if (given.length !== 1) return refused(400, 'one of target, group and all has to be named');
  if (all === true) return { all };
  const [what, name] = target === undefined ? (['group', group] as const) : (['target', target] as const);
  if (typeof name !== 'string') return refused(400, `${what}: a name is needed`);
  const known = targets.flatMap((one) => (what === 'target' ? [one.name] : (one.group ?? [])));
  if (known.includes(name)) return what === 'target' ? { target: name } : { group: name };
  return what === 'target' ? unknownTarget(name, targets) : unknownName(what, name, known);
}

/** What a person gave in words: they go to terminals and into messages. */
function said(value: unknown): string | undefined {
  const text = typeof value === 'string' ? plain(value).slice(0, LONGEST) : '';
  return text === '' ? undefined : text;
}

function pauseStatus(pause: Pause, names: readonly string[], { now, wallTime }: Pausing): PauseStatus {
  const { scope, reason, by, at, endsAt, untilHealthy, drain, released } = pause;
  const left = Math.max(0, Math.round(endsAt - now()));
  return {
    ...scope,
    reason,
    by,
    since: iso(at),
    // The wall clock may have been set since it began.
    until: iso(wallTime() + left),
    left_ms: left,
    until_healthy: untilHealthy,
    drain: drain ?? false,
    targets: names,
    released: names.filter((target) => released.has(scopeKey({ target }))),
  };
}

function windowStatus({ reason, isOpen, from, until, zone, targets }: ScheduledWindow): WindowStatus {
  return { reason, open: isOpen, from: iso(from), until: iso(until), zone, targets: [...targets] };
}
