import { type Health, type State, judge, unknownHealth } from './health.ts';
import type { Reason } from './outcome.ts';
import { type Recorded, afterTrouble, endOf, outcomeOf } from './recorded.ts';
import { laidAside } from './saved.ts';
import type { Target } from './target.ts';

/** One incident as a policy has it, ms since the epoch. */
export interface Span {
  /** Null: before the record begins. */
  readonly opened: number | null;
  /** Null: not by the end of the record. */
  readonly closed: number | null;
  /** Of the attempt that opened it. */
  readonly reason: Reason | null;
}

/** A target's record so far: what its attempts came to under the rules of the record, and under others. */
export interface Replayed {
  readonly health: Health;
  readonly last: Recorded;
  readonly recorded: readonly Span[];
  readonly replayed: readonly Span[];
}

/** The targets that one depends on, by the new rules. */
export interface Dependencies {
  /** One of them is not up. */
  readonly isUnreachable: boolean;
  /** How long they are waited for, ms; null where there are none. */
  readonly patienceMs: number | null;
}

/** With one more attempt, judged as the agent would have. Of one target, in the order in which they ended. */
export function replayed(
  before: Replayed | null,
  attempt: Recorded,
  { name, rules }: Pick<Target, 'name' | 'rules'>,
  { isUnreachable, patienceMs }: Dependencies,
): Replayed {
  const at = endOf(attempt);
  const known = before ? resumed(before, attempt) : begun(attempt);
  const { health } = judge(known, attemptOf(attempt), {
    target: name,
    rules,
    // What is slow is learned from every latency, and decides about no incident.
    slowMs: null,
    regular: attempt.confirmation !== true,
    hushed: attempt.hushed === true,
    unreachable: isUnreachable,
    unverified: attempt.unverified === true,
    dependencies:
      attempt.heard_ms === undefined || patienceMs === null
        ? null
        : { at: attempt.start - attempt.heard_ms, patienceMs },
    doubt: { score: attempt.score ?? 0, doubtful: attempt.doubtful === true },
    pathWorks: attempt.path_lost !== true,
    at: Math.round(at),
  });
  const { recorded = openFrom(attempt.state), replayed = openFrom(known.state) } = before ?? {};
  return {
    health,
    last: attempt,
    recorded: withState(recorded, attempt.state, attempt),
    replayed: withState(replayed, health.state, attempt),
  };
}

export function attemptOf(recorded: Recorded) {
  const { start, latencyMs } = recorded;
  return { outcome: outcomeOf(recorded), number: 0, at: start, startedAt: start, latencyMs, phases: {} };
}

/** The record may begin in the middle of an incident; of what led to it nothing is known. */
function begun({ state, start }: Recorded): Health {
  const nothing = unknownHealth(start);
  return isBad(state) ? { ...nothing, state: 'down', incidentAt: Math.round(start) } : nothing;
}

/** What the agent has gone through between the two is mirrored. */
function resumed({ health, last }: Replayed, attempt: Recorded): Health {
  if (last.session === attempt.session) return afterTrouble(health, last, attempt);
  // The time in which nobody looked is no part of a window.
  return laidAside(health, endOf(last), attempt.session);
}

function openFrom(state: State): readonly Span[] {
  return isBad(state) ? [{ opened: null, closed: null, reason: null }] : [];
}

export function isBad(state: State): boolean {
  return state === 'down' || state === 'recovering';
}

function withState(spans: readonly Span[], state: State, attempt: Recorded): readonly Span[] {
  const open = spans.at(-1);
  const wasBad = open !== undefined && open.closed === null;
  if (wasBad === isBad(state)) return spans;
  const at = endOf(attempt);
  return wasBad
    ? [...spans.slice(0, -1), { ...open, closed: at }]
    : [...spans, { opened: at, closed: null, reason: attempt.reason }];
}

/** The same incident under both policies; null where one of them has none. */
export interface Pair<T> {
  readonly recorded: T | null;
  readonly replayed: T | null;
}

/** Two incidents are the same where they overlap, the first with the first. */
export function paired(recorded: readonly Span[], replayed: readonly Span[]): Pair<Span>[] {
  const pairs: Pair<Span>[] = [];
  let a = 0;
  let b = 0;
  while (a < recorded.length || b < replayed.length) {
    const [left, right] = [recorded[a], replayed[b]];
    if (left && right && overlap(left, right)) {
      pairs.push({ recorded: left, replayed: right });
      a++;
      b++;
    } else if (left && (!right || openedOf(left) <= openedOf(right))) {
      pairs.push({ recorded: left, replayed: null });
      a++;
    } else {
      pairs.push({ recorded: null, replayed: right! });
      b++;
    }
  }
  return pairs;
}

/** They open and close with the very same attempts. */
export function isSame({ recorded, replayed }: Pair<Span>): boolean {
  return (
    recorded !== null &&
    replayed !== null &&
    recorded.opened === replayed.opened &&
    recorded.closed === replayed.closed
  );
}

function openedOf({ opened }: Span): number {
  return opened ?? -Infinity;
}

function overlap(a: Span, b: Span): boolean {
  return openedOf(a) <= (b.closed ?? Infinity) && openedOf(b) <= (a.closed ?? Infinity);
}

/** An action that was begun, or would have been. */
export interface Begun {
  readonly target: string;
  /** Its name: `restart-orders/2`. */
  readonly step: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Cool-downs vary by chance, so the same action does not come at the same moment, ms. */
const ABOUT_MS = 10 * 60_000;

/** Two actions are the same where they are of one step, in their order, at about the same time. */
export function pairedActions<A extends Begun, B extends Begun>(
  recorded: readonly A[],
  replayed: readonly B[],
): { readonly recorded: A | null; readonly replayed: B | null }[] {
  const left = [...recorded];
  const pairs = replayed.map((one) => {
    const index = left.findIndex(
      ({ target, step, at }) =>
        target === one.target && step === one.step && Math.abs(at - one.at) <= ABOUT_MS,
    );
    return { recorded: index < 0 ? null : left.splice(index, 1)[0]!, replayed: one };
  });
  const lost = left.map((one) => ({ recorded: one, replayed: null }));
  return [...pairs, ...lost].toSorted(
    (a, b) => (a.replayed ?? a.recorded)!.at - (b.replayed ?? b.recorded)!.at,
  );
}
