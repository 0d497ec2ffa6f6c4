import { type Rate, formatDuration } from './units.ts';

/** What holds actions back: per target, per group and overall. Times are monotonic ms. */
export interface Brakes {
  /** After the start of the agent nothing is done for this long. */
  readonly startGraceMs: number;
  /** From one attempt on a target to the next; doubles with each, up to `coolDownMaxMs`. */
  readonly coolDownMs: number;
  readonly coolDownMaxMs: number;
  /** Attempts on a target, and within a day. */
  readonly perTarget: Rate;
  readonly perDay: number;
  /** Starts in a group, and in all groups together. */
  readonly perGroup: Rate;
  readonly overall: Rate;
  /** Share of a group that may be under recovery at once; one always may. */
  readonly share: number;
  /** This share of a group bad at once is a panic. */
  readonly panicAt: number;
}

const MINUTE = 60_000;
const DAY_MS = 24 * 60 * MINUTE;

/** After Envoy (share), the node eviction rate of Kubernetes (rate), and the panic thresholds of both. */
export const BRAKES: Brakes = {
  startGraceMs: MINUTE / 2,
  coolDownMs: MINUTE,
  coolDownMaxMs: 15 * MINUTE,
  perTarget: { most: 3, withinMs: 30 * MINUTE },
  perDay: 10,
  perGroup: { most: 1, withinMs: MINUTE / 2 },
  overall: { most: 6, withinMs: 10 * MINUTE },
  share: 0.1,
  panicAt: 0.5,
};

/** Smaller groups know no panic: one of two is no sign of anything. */
const PANIC_SIZE = 3;
/** A panic ends below this share of `panicAt`: 40 % where it begins at half. */
const CALM_SHARE = 0.8;
const CALM_MS = 2 * MINUTE;
/** So long after the agent itself stood still nothing is done: what it saw may be its own doing. */
const AFTER_PAUSE_MS = MINUTE / 2;
/** Cool-downs vary by so much, so that targets that failed together drift apart. */
const JITTER = 0.2;

/** The wait after the nth attempt (n from 1), ms. `random` is uniform in [0, 1). */
export function coolDown(nth: number, random: number, { coolDownMs, coolDownMaxMs }: Brakes): number {
  const full = Math.min(coolDownMaxMs, coolDownMs * 2 ** (nth - 1));
  return full * (1 - JITTER + 2 * JITTER * random);
}

/** An action that was begun, or is about to be: it counts from its intent. */
export interface Start {
  readonly target: string;
  readonly group: string;
  readonly at: number;
  /** It asks somebody else to act, a pager or an API: the attempts on a target within a window do not count it. */
  readonly asks: boolean;
}

/** Those that a brake may still count at `now`. */
export function relevantStarts(starts: readonly Start[], now: number): readonly Start[] {
  return starts.filter(({ at }) => now - at < DAY_MS);
}

/** Too many of a group are bad at once for their own recovery to be the cure. */
export interface Panic {
  readonly since: number;
  /** Since when so few are bad that it may end. */
  readonly calmSince: number | null;
  /** Somebody has looked: it holds nothing any more, and ends as usual. */
  readonly acked: boolean;
}

/** The panic of a group of `size`, `bad` of them down, recovering or unknown. */
export function panicOf(
  panic: Panic | null,
  { size, bad }: { readonly size: number; readonly bad: number },
  now: number,
  { panicAt }: Brakes,
): Panic | null {
  if (!panic) {
    return size >= PANIC_SIZE && bad >= size * panicAt ? { since: now, calmSince: null, acked: false } : null;
  }
  if (size >= PANIC_SIZE && bad >= size * panicAt * CALM_SHARE) {
    return panic.calmSince === null ? panic : { ...panic, calmSince: null };
  }
  if (panic.calmSince === null) return { ...panic, calmSince: now };
  return now - panic.calmSince >= CALM_MS ? null : panic;
}

/** Something that holds an action back. */
export interface Hold {
  readonly gate: Gate;
  readonly why: string;
  /** When it is over, where time alone ends it. */
  readonly until: number | null;
}

export type Gate =
  | 'mode'
  | 'switch'
  | 'purpose'
  | 'state'
  | 'evidence'
  | 'busy'
  | 'gave_up'
  | 'flapping'
  | 'paused'
  | 'unreachable'
  | 'doubt'
  | 'start_grace'
  | 'cool_down'
  | 'attempts'
  | 'share'
  | 'drain'
  | 'group_rate'
  | 'overall_rate'
  | 'panic'
  | 'store';

/** The group of the target, itself included. */
export interface GroupView {
  readonly name: string;
  readonly size: number;
  readonly bad: number;
  /** Members that are acted on now. */
  readonly active: number;
  readonly panic: Panic | null;
  /** Whether most of those that were heard lately fail, suspects included; null: too few were heard to tell. */
  readonly together: boolean | null;
}

export interface BrakeView {
  readonly target: string;
  readonly now: number;
  /** When the agent started, and when it last stood still. */
  readonly startedAt: number;
  readonly pausedAt: number;
  /** Until when it is waited for what the others of the group say. */
  readonly heardBy: number;
  readonly coolUntil: number | null;
  /** Attempts before this do not count against the target. */
  readonly ackedAt: number | null;
  /** The next step asks somebody else to act. */
  readonly asks: boolean;
  /** Of all targets, of the last day at least. */
  readonly starts: readonly Start[];
  readonly group: GroupView;
}

/** The brakes that hold, with their numbers: what `explain` shows, and what an action has to pass. */
export function braked(view: BrakeView, brakes: Brakes): Hold[] {
  const { now, group, starts, target } = view;
  const hold = (gate: Gate, why: string, until: number | null = null): Hold => ({ gate, why, until });
  const held: Hold[] = [];
  const graceEnds = view.startedAt + brakes.startGraceMs;
  if (now < graceEnds) held.push(hold('start_grace', 'the agent has just started', graceEnds));
  const pauseEnds = view.pausedAt + AFTER_PAUSE_MS;
  if (now < pauseEnds) held.push(hold('doubt', 'the agent itself stood still a moment ago', pauseEnds));
  const common = commonCause(view);
  if (common) held.push(hold('panic', common.why, common.until));
  if (view.coolUntil !== null && now < view.coolUntil) {
    held.push(hold('cool_down', 'it has been tried a moment ago', view.coolUntil));
  }
  const own = starts.filter((start) => start.target === target && start.at >= (view.ackedAt ?? -Infinity));
  if (!view.asks) {
    const acts = own.filter(({ asks }) => !asks);
    const free = freeAt(acts, brakes.perTarget, now);
    if (free !== null) held.push(hold('attempts', `it has had its ${inWords(brakes.perTarget)}`, free));
  }
  const day = { most: brakes.perDay, withinMs: DAY_MS };
  const dayFree = freeAt(own, day, now);
  if (dayFree !== null) held.push(hold('attempts', `it has had its ${inWords(day)}`, dayFree));
  const most = Math.max(1, Math.floor(group.size * brakes.share));
  if (group.active >= most) {
    held.push(hold('share', `${group.active} of ${group.size} in ${group.name} are being recovered`));
  }
  const inGroup = starts.filter((start) => start.group === group.name);
  const groupFree = freeAt(inGroup, brakes.perGroup, now);
  if (groupFree !== null) {
    held.push(hold('group_rate', `${group.name} has had its ${inWords(brakes.perGroup)}`, groupFree));
  }
  const overallFree = freeAt(starts, brakes.overall, now);
  if (overallFree !== null) {
    held.push(hold('overall_rate', `all together have had their ${inWords(brakes.overall)}`, overallFree));
  }
  return held;
}

/** Whether it is one of many, as far as is known: a panic is for verdicts, and those come one by one. */
function commonCause({ group, now, heardBy }: BrakeView): { why: string; until: number | null } | null {
  const { name, size, bad, panic, together } = group;
  if (panic) return panic.acked ? null : { why: `${bad} of ${size} in ${name} are bad at once`, until: null };
  if (size < PANIC_SIZE || together === false) return null;
  if (together) return { why: `many of ${name} fail at once`, until: null };
  return now < heardBy
    ? { why: `the others of ${name} have not been heard since it failed`, until: heardBy }
    : null;
}

/** Whether the day of the target is used up: that is not for waiting. */
export function dayIsUsedUp(
  { target, starts, ackedAt, now }: Pick<BrakeView, 'target' | 'starts' | 'ackedAt' | 'now'>,
  { perDay }: Brakes,
): boolean {
  const own = starts.filter((start) => start.target === target && start.at >= (ackedAt ?? -Infinity));
  return freeAt(own, { most: perDay, withinMs: DAY_MS }, now) !== null;
}

/** When the rate allows one more; null where it does now. */
function freeAt(starts: readonly Start[], { most, withinMs }: Rate, now: number): number | null {
  const within = starts
    .map(({ at }) => at)
    .filter((at) => now - at < withinMs)
    .toSorted((a, b) => b - a);
  const last = within[most - 1];
  return last === undefined ? null : last + withinMs;
}

function inWords({ most, withinMs }: Rate): string {
  return `${most} ${most === 1 ? 'attempt' : 'attempts'} in ${formatDuration(withinMs)}`;
}
