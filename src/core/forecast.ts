import { circumstancesOf } from './gates.ts';
import { type Health, type Judgement, type State, judge } from './health.ts';
import type { Held } from './held.ts';
import type { HookEventName } from './hook.ts';
import { type Attempt, type EvidenceClass, type Outcome, fail, ok, voided, warn } from './outcome.ts';
import { type NextStart, type Standing, isConfirming, nextStart } from './plan.ts';
import type { Pending, View } from './view.ts';

/**
 * What happens next, by the rules themselves: an attempt that has not been made is judged by `judge`, and those behind it
 * come when `nextStart` says. So what is said of it is what happens, as long as things stand as they do.
 */

/** What an attempt may come to, as far as it makes a difference. */
const OUTCOMES = {
  ok: ok(''),
  warn: warn(''),
  explicit: fail('refused', ''),
  silent: fail('timeout', ''),
  path: fail('connect_timeout', ''),
  void: voided(''),
} as const satisfies Record<string, Outcome>;
export type OutcomeName = keyof typeof OUTCOMES;
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as OutcomeName[];

export interface Consequence {
  /** Holds for an attempt that ends then or later, monotonic ms. */
  readonly from: number;
  readonly state: State;
  /** What the world is told. */
  readonly news: readonly HookEventName[];
  readonly held: Held | null;
}

/** One of the attempts that may be judged next. */
export interface Prospect {
  /** Monotonic ms. */
  readonly startsAt: number;
  readonly isUnderWay: boolean;
  readonly regular: boolean;
  /** More than one where it depends on when it ends, the earliest first. */
  readonly outcomes: Readonly<Record<OutcomeName, readonly Consequence[]>>;
}

/** Those under way, and the one that is planned. */
export function prospects(view: View): Prospect[] {
  const { pending, planned } = view;
  const next = planned ? [{ startedAt: planned.due, regular: planned.onGrid }] : [];
  return [...pending, ...next].map((attempt, index) => ({
    startsAt: attempt.startedAt,
    isUnderWay: index < pending.length,
    regular: attempt.regular,
    outcomes: Object.fromEntries(
      OUTCOME_NAMES.map((name) => [name, consequences(view, name, attempt)]),
    ) as unknown as Prospect['outcomes'],
  }));
}

function consequences(view: View, name: OutcomeName, pending: Pending): Consequence[] {
  const earliest = Math.max(view.standing.now, pending.startedAt);
  const latest = Math.max(earliest, pending.startedAt + view.target.rules.timeoutMs);
  const endingAt = (end: number): Consequence => {
    const { health, news, held } = judged(view, view.health, name, pending, end);
    return { from: end, state: health.state, news: news.map(({ event }) => event), held };
  };
  return changes(endingAt, endingAt(earliest), endingAt(latest));
}

/** ms; of that much it does not matter when an attempt ends. */
const PRECISION_MS = 0.01;

/** What is different at the end of a span of time begins at some point within it. */
function changes(
  endingAt: (end: number) => Consequence,
  first: Consequence,
  last: Consequence,
): Consequence[] {
  if (isSame(first, last)) return [first];
  let [low, high] = [first, last];
  while (high.from - low.from > PRECISION_MS) {
    const middle = endingAt((low.from + high.from) / 2);
    if (isSame(middle, first)) low = middle;
    else high = middle;
  }
  return [first, ...changes(endingAt, high, last)];
}

function isSame(a: Consequence, b: Consequence): boolean {
  return a.state === b.state && a.news.join() === b.news.join() && a.held?.gate === b.held?.gate;
}

function judged(view: View, health: Health, name: OutcomeName, pending: Pending, end: number): Judgement {
  const { target, reasons, slowMs, at, standing } = view;
  const { startedAt, regular } = pending;
  const attempt: Attempt = {
    outcome: OUTCOMES[name],
    number: 0,
    at: 0,
    startedAt,
    latencyMs: end - startedAt,
    phases: {},
  };
  const wall = at + end - standing.now;
  return judge(
    health,
    attempt,
    circumstancesOf(reasons, { target: target.name, rules: target.rules, slowMs, regular, at: wall }),
  );
}

/** How long it takes at least. */
export interface Outlook {
  /** Attempts that have to come to it. */
  readonly attempts: number;
  /** Monotonic ms. */
  readonly at: number;
}

/** Beyond it nobody wants to know. */
const MOST_ATTEMPTS = 1_000;

/**
 * When a state is reached if from now on every attempt comes to the same: a refusal at once, silence after a whole timeout.
 * What is held back instead where something is, and null where it is out of sight.
 */
export function outlook(view: View, name: 'ok' | EvidenceClass, reached: State): Outlook | Held | null {
  const latencyMs = name === 'silent' || name === 'path' ? view.target.rules.timeoutMs : 0;
  const running = [...view.pending];
  let standing: Standing = { ...view.standing, active: running.length };
  let planned: NextStart | null =
    view.planned ?? (running.length === 0 ? { due: standing.now, onGrid: false } : null);
  /** When an answer is late enough to look again. */
  let lateAt = suspicions(view, running[0]);
  let { pathWorks } = view.reasons;
  let attempts = 0;

  function moveOn(now: number, changed: Partial<Standing>): void {
    standing = { ...standing, ...changed, now, active: running.length };
  }

  while (attempts < MOST_ATTEMPTS) {
    const endsAt = running[0] ? Math.max(standing.now, running[0].startedAt + latencyMs) : Infinity;
    const startsAt = planned ? Math.max(standing.now, planned.due) : Infinity;
    const now = Math.min(endsAt, startsAt, lateAt);
    if (now === Infinity) return null;
    if (endsAt === now) {
      const attempt = running.shift()!;
      // The first that cannot be reached has the anchors asked, and nothing says that they do not answer.
      const isUnasked = pathWorks === null;
      // And what it depends on is asked, too.
      const asked = { ...view, reasons: { ...view.reasons, pathWorks, dependencies: null } };
      const { health, held } = judged(asked, standing.health, name, attempt, now);
      if (isUnasked && name !== 'explicit') pathWorks = true;
      attempts++;
      if (health.state === reached) return { attempts, at: now };
      if (held && held.what !== 'news' && !(held.gate === 'path' && isUnasked)) return held;
      moveOn(now, { health, suspected: false });
      lateAt = Infinity;
      planned = nextStart(standing);
    } else if (lateAt === now) {
      lateAt = Infinity;
      moveOn(now, { suspected: true });
      if (isConfirming(standing)) planned = { due: now, onGrid: false };
    } else {
      const { due, onGrid } = planned!;
      const attempt = { startedAt: now, regular: onGrid };
      running.push(attempt);
      moveOn(now, { latest: { due, startedAt: now } });
      const confirms = isConfirming(standing);
      if (!confirms) lateAt = suspicions(view, attempt);
      planned = confirms ? nextStart(standing) : null;
    }
  }
  return null;
}

function suspicions({ suspectAfterMs, standing }: View, attempt: Pending | undefined): number {
  if (suspectAfterMs === null || !attempt || standing.suspected) return Infinity;
  return Math.max(standing.now, attempt.startedAt + suspectAfterMs);
}
