import { type Circumstances, type Health, type State, forgiven } from './health.ts';
import { type Attempt, type Outcome, type Reason, type Status, fail, ok, reasonOf, warn } from './outcome.ts';

/** What an attempt was judged under, as far as it was not as usual. Keys as they stand in the log and in the state. */
export interface Conditions {
  /** No start of the grid: it was made because a change of state was pending. */
  readonly confirmation?: true;
  /** Something that it depends on was not up. */
  readonly unreachable?: true;
  /** Nothing was to be opened: it was paused, say. */
  readonly hushed?: true;
  /** It was good, and what was done about it was not verified yet. */
  readonly unverified?: true;
  /** What the agent thought of itself, where that was not 0. */
  readonly score?: number;
  readonly doubtful?: true;
  /** It failed, and no anchor answered. */
  readonly path_lost?: true;
  /** It failed, and the targets that it depends on had been heard so long before it started, ms. */
  readonly heard_ms?: number;
}

/** One attempt that was judged, as it was written down. */
export interface Recorded extends Conditions {
  readonly target: string;
  /** Ms since the epoch at which it started, by the monotonic clock of its process: no step of the wall clock is in it. */
  readonly start: number;
  readonly latencyMs: number;
  readonly status: Exclude<Status, 'void'>;
  readonly reason: Reason | null;
  readonly message: string;
  /** What the target was taken for after it. */
  readonly state: State;
  /** Ms since the epoch at which its process had begun: the same for all attempts of one process. */
  readonly session: number;
}

/** Attempts in a row that came to the same, as they are kept: one row that grows. Times as of `Recorded`. */
export interface AttemptsRow extends Conditions {
  readonly target: string;
  /** Start of the first, and of the last. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly status: Recorded['status'];
  readonly reason: Reason | null;
  readonly state: State;
  /** How long the first took, which may have been a verdict, and the slowest. */
  readonly first_ms: number;
  readonly slowest_ms: number;
  readonly session: number;
  readonly [key: string]: unknown;
}

export function conditionsOf(
  { outcome, startedAt }: Pick<Attempt, 'outcome' | 'startedAt'>,
  given: Circumstances,
): Conditions {
  const { regular, unreachable, hushed, unverified, doubt, pathWorks, dependencies } = given;
  return {
    ...(!regular && { confirmation: true as const }),
    ...(unreachable && { unreachable: true as const }),
    ...(hushed && { hushed: true as const }),
    ...(outcome.status !== 'fail' && unverified && { unverified: true as const }),
    ...(doubt.score > 0 && { score: doubt.score }),
    ...(doubt.doubtful && { doubtful: true as const }),
    ...(outcome.status === 'fail' && !pathWorks && { path_lost: true as const }),
    ...(outcome.status === 'fail' &&
      dependencies && { heard_ms: Math.min(NEVER_MS, digits(startedAt - dependencies.at)) }),
  };
}

/** JSON knows no infinity. */
const NEVER_MS = 1e12;

/** The first attempt of a row; null where it decided nothing, whatever the rules: void, or older than one that was judged. */
export function rowOf(
  target: string,
  attempt: Attempt,
  health: Health,
  given: Circumstances,
  { offset, session }: { readonly offset: number; readonly session: number },
): AttemptsRow | null {
  const { outcome, startedAt, latencyMs } = attempt;
  if (outcome.status === 'void' || startedAt < health.judgedAt) return null;
  const start = digits(startedAt + offset);
  return {
    target,
    first: start,
    last: start,
    count: 1,
    status: outcome.status,
    reason: reasonOf(outcome),
    state: health.state,
    first_ms: digits(latencyMs),
    slowest_ms: digits(latencyMs),
    session,
    ...whatMatters(conditionsOf(attempt, given), outcome.status !== 'fail', health),
  };
}

/** An agent that is late changes its mind about itself all the time: that must not cut every row short. */
function whatMatters(conditions: Conditions, isGood: boolean, { state, recent }: Health): Conditions {
  const { confirmation, doubtful, unverified, score, ...others } = conditions;
  // The ratio rule counts from a failure on.
  const counts = !(isGood && state === 'up' && recent.length === 0);
  return {
    ...(confirmation && counts && { confirmation }),
    ...(doubtful && { doubtful }),
    ...(unverified && { unverified }),
    ...(!isGood && others),
    ...(!isGood && state !== 'down' && score !== undefined && { score }),
  };
}

/** The row with one more attempt; null where that one has to stand for itself. */
export function grown(row: AttemptsRow, next: AttemptsRow): AttemptsRow | null {
  const isSame =
    row.status === next.status &&
    row.reason === next.reason &&
    row.state === next.state &&
    row.session === next.session &&
    row.confirmation === next.confirmation &&
    row.unreachable === next.unreachable &&
    row.hushed === next.hushed &&
    row.score === next.score &&
    row.doubtful === next.doubtful &&
    row.path_lost === next.path_lost;
  if (!isSame || isBeingFoundOut(next)) return null;
  return {
    ...row,
    last: next.last,
    count: row.count + 1,
    slowest_ms: Math.max(row.slowest_ms, next.slowest_ms),
  };
}

/** While a verdict is pending each attempt counts, to the millisecond. */
function isBeingFoundOut({ state, unreachable, doubtful, path_lost }: AttemptsRow): boolean {
  return state === 'suspect' && !unreachable && !doubtful && !path_lost;
}

/** So many good attempts in a row settle everything that a judgement counts, thresholds apart. */
const SETTLING = 20;

/**
 * The attempts of a row, evenly from its first to its last. Of good ones those in the middle are left out where they could
 * change nothing any more: `most` is the highest threshold that counts good ones.
 */
export function* attemptsOf(row: AttemptsRow, most: number): Generator<Recorded> {
  const { first, last, count, first_ms, slowest_ms, ...same } = row;
  const step = count > 1 ? (last - first) / (count - 1) : 0;
  const settled = row.status === 'fail' ? count : Math.max(SETTLING, most);
  for (let nth = 0; nth < count; nth++) {
    if (nth === settled && count - 1 > settled) nth = count - 1;
    const start = nth === count - 1 ? last : first + nth * step;
    yield { ...same, start, latencyMs: nth === 0 ? first_ms : slowest_ms, message: '' };
  }
}

export function endOf({ start, latencyMs }: Recorded): number {
  return start + latencyMs;
}

export function outcomeOf({ status, reason, message }: Recorded): Outcome {
  if (status !== 'fail') return status === 'ok' ? ok(message) : warn(message);
  return fail(reason ?? 'status', message);
}

/** What trouble of the agent between two attempts has made of a health: the end of doubt, or a pause, forgives. */
export function afterTrouble(health: Health, before: Recorded, now: Recorded): Health {
  const doubtIsOver = before.doubtful === true && now.doubtful === undefined;
  const stoodStill =
    before.status === 'fail' &&
    now.status === 'fail' &&
    (now.score ?? 0) - (before.score ?? 0) >= PAUSE_WEIGHT;
  return doubtIsOver || stoodStill ? forgiven(health) : health;
}

/** What a pause or a step of the clock adds to the score. */
const PAUSE_WEIGHT = 3;

/** Three digits behind the point: a microsecond, which is what the clocks can tell. */
function digits(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
