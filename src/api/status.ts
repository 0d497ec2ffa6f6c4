import type { Doubt } from '../core/doubt.ts';
import type { State } from '../core/health.ts';
import { incidentId } from '../core/incident.ts';
import {
  type Attempt,
  type EvidenceClass,
  type Reason,
  type Status,
  classOf,
  reasonOf,
} from '../core/outcome.ts';
import type { MonitorSnapshot } from '../core/snapshot.ts';
import type { StoreStatus } from '../core/store.ts';
import type { Target } from '../core/target.ts';
import { VERSION } from '../core/version.ts';
import { type Route, fine, iso } from './routes.ts';

/** What of the agent can be asked. */
export interface Asked {
  /** ms since the epoch. */
  wallTime(): number;
  /** When it started, wall clock ms; undefined until a configuration is in force. */
  startedAt(): number | undefined;
  doubt(): Doubt;
  store(): StoreStatus;
  targets(): readonly Target[];
  snapshot(): readonly MonitorSnapshot[];
}

/** The answer to `GET /api/v1/targets`. Its keys are a contract: they stay. Times are ISO 8601, UTC. */
export interface AgentStatus {
  readonly version: string;
  readonly started_at: string | null;
  readonly at: string;
  readonly doubt: { readonly score: number; readonly doubtful: boolean };
  /** Where state is kept; `path` is null where it is not, `trouble` where all is well. */
  readonly store: Omit<StoreStatus, 'since'> & { readonly since: string };
  readonly targets: readonly TargetStatus[];
}

export interface TargetStatus {
  readonly target: string;
  readonly group: string | null;
  readonly probe: string;
  readonly state: State;
  readonly flags: readonly string[];
  readonly since: string;
  readonly incident: string | null;
  readonly attempts: number;
  readonly missed: number;
  readonly last: AttemptStatus | null;
}

export interface AttemptStatus {
  readonly attempt: number;
  readonly at: string;
  readonly status: Status;
  readonly reason: Reason | null;
  readonly class: EvidenceClass | null;
  readonly message: string;
  readonly latency_ms: number;
}

export function statusRoutes(agent: Asked): Route[] {
  return [
    { method: 'GET', path: '/livez', open: true, answer: () => fine({ status: 'ok' }) },
    {
      method: 'GET',
      path: '/readyz',
      open: true,
      answer: () =>
        agent.startedAt() === undefined
          ? { status: 503, body: { status: 'starting' } }
          : fine({ status: 'ready' }),
    },
    { method: 'GET', path: '/api/v1/targets', answer: () => fine(agentStatus(agent, agent.wallTime())) },
  ];
}

function agentStatus(agent: Asked, now: number): AgentStatus {
  const { score, doubtful } = agent.doubt();
  const startedAt = agent.startedAt();
  const snapshots = new Map(agent.snapshot().map((one) => [one.target, one]));
  return {
    version: VERSION,
    started_at: startedAt === undefined ? null : iso(startedAt),
    at: iso(now),
    doubt: { score, doubtful },
    store: { ...agent.store(), since: iso(agent.store().since) },
    // In the order of the files.
    targets: agent.targets().flatMap((target) => {
      const snapshot = snapshots.get(target.name);
      return snapshot ? [targetStatus(target, snapshot)] : [];
    }),
  };
}

function targetStatus({ name, group, probe }: Target, snapshot: MonitorSnapshot): TargetStatus {
  const { health, attempts, missed, last } = snapshot;
  return {
    target: name,
    group: group ?? null,
    probe: probe.kind,
    state: health.state,
    flags: flagsOf(snapshot),
    since: iso(health.since),
    incident: health.incidentAt === null ? null : incidentId(name, health.incidentAt),
    attempts,
    missed,
    last: last ? attemptStatus(last) : null,
  };
}

function flagsOf({ health, unreachable, hushed, stale }: MonitorSnapshot): string[] {
  const flags = {
    degraded: health.degradation.because !== null,
    flapping: health.flaps.flapping,
    unreachable,
    paused: hushed !== null,
    stale,
  };
  return Object.entries(flags).flatMap(([flag, holds]) => (holds ? [flag] : []));
}

function attemptStatus({ outcome, number, at, latencyMs }: Attempt): AttemptStatus {
  return {
    attempt: number,
    at: iso(at),
    status: outcome.status,
    reason: reasonOf(outcome),
    class: classOf(outcome),
    message: outcome.message,
    latency_ms: Math.round(latencyMs * 1_000) / 1_000,
  };
}
