import type { Phase } from '../core/transaction.ts';
import type { Mode } from '../core/policy.ts';
import type { RecoveryStanding } from '../core/recovery.ts';
import { plain } from '../core/plain.ts';
import type { Target } from '../core/target.ts';
import { type Route, fine, iso, refused, unknownTarget } from './routes.ts';

/** What of the agent has to do with recovery. */
export interface Recovering {
  wallTime(): number;
  targets(): readonly Target[];
  acknowledge(target: string, by: string): boolean;
  switchOff(why: string | null, by: string): void;
  off(): string | null;
  /** True once all of it would outlive the agent. */
  commit(): Promise<boolean>;
}

/** How a target stands with its recovery; part of its explanation. Its keys are a contract: they stay. */
export interface RecoveryStatus {
  readonly mode: Mode;
  /** The step that would be tried next; null where there is none. */
  readonly next: string | null;
  readonly gave_up: string | null;
  /** Attempts so far, by step. */
  readonly used: Readonly<Record<string, number>>;
  /** Where the action is that is under way. */
  readonly phase: Phase['name'] | null;
  readonly holds: readonly {
    readonly gate: string;
    readonly why: string;
    /** When it is over, where time alone ends it, ms from now. */
    readonly in_ms: number | null;
  }[];
}

/** The answer to `GET` and `POST /api/v1/recovery`. */
export interface SwitchAnswer {
  readonly at: string;
  /** Who has switched recovery off; null where it is on. */
  readonly off: string | null;
  readonly kept: boolean;
}

export interface AcknowledgedAnswer {
  readonly target: string;
  readonly kept: boolean;
}

export function recoveryStatus(standing: RecoveryStanding | undefined, now: number): RecoveryStatus | null {
  if (!standing) return null;
  const { mode, next, gaveUp, used, phase, holds } = standing;
  return {
    mode,
    next,
    gave_up: gaveUp,
    used,
    phase,
    holds: holds.map(({ gate, why, until }) => ({
      gate,
      why,
      in_ms: until === null ? null : Math.max(0, Math.round(until - now)),
    })),
  };
}

/** Characters of what a person says. */
const LONGEST = 200;

export function recoveryRoutes(agent: Recovering): Route[] {
  const answer = async (): Promise<SwitchAnswer> => ({
    at: iso(agent.wallTime()),
    off: agent.off(),
    kept: await agent.commit(),
  });
  return [
    { method: 'GET', path: '/api/v1/recovery', answer: async () => fine(await answer()) },
    {
      method: 'POST',
      path: '/api/v1/recovery',
      async answer({ body }) {
        const { off, reason, by } = wishOf(body);
        if (by === undefined) return refused(400, 'by: it has to be said who asks for it');
        if (off === false) agent.switchOff(null, by);
        else if (off !== true) return refused(400, 'off: true or false');
        else if (reason === undefined) return refused(400, 'reason: it has to be said why');
        else agent.switchOff(`${reason} (${by})`, by);
        return fine(await answer());
      },
    },
    {
      method: 'POST',
      path: '/api/v1/targets/:name/acknowledgement',
      async answer({ params: { name = '' }, body }) {
        const { by } = wishOf(body);
        if (by === undefined) return refused(400, 'by: it has to be said who asks for it');
        const targets = agent.targets();
        if (!targets.some((target) => target.name === name)) return unknownTarget(name, targets);
        if (!agent.acknowledge(name, by)) return refused(409, `nothing recovers ${name}: it has no steps`);
        return fine({ target: name, kept: await agent.commit() } satisfies AcknowledgedAnswer);
      },
    },
  ];
}

function wishOf(body: unknown) {
  const { off, reason, by } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const said = (value: unknown): string | undefined =>
    (typeof value === 'string' && plain(value).slice(0, LONGEST)) || undefined;
  return { off, reason: said(reason), by: said(by) };
}
