import type { ConfirmWindows } from './evidence.ts';
import type { Health } from './health.ts';
import { type Attempt, EVIDENCE_CLASSES, type EvidenceClass, classOf } from './outcome.ts';

/**
 * What has been seen of a target's blips: suspicions that ended well. Sums, not a list, so that it stays small however
 * restless the target is, and by days of watching, not of the calendar: no clock can be set so that it forgets, and the
 * time in which nobody looked makes nothing old. Plain JSON.
 */
export interface Calibration {
  /** Oldest first, the last one still growing. */
  readonly days: readonly Day[];
}

export interface Day {
  /** For so long somebody looked, ms, in so many regular attempts. */
  readonly watchedMs: number;
  readonly looks: number;
  readonly blips: Readonly<Partial<Record<EvidenceClass, BlipSums>>>;
}

export interface BlipSums {
  readonly count: number;
  /** From the start of the first failed attempt to its end: a timeout for silence, nearly nothing for a refusal. Sum, ms. */
  readonly heardMs: number;
  /** How long it went on after that. Sum, ms. */
  readonly lastedMs: number;
  /** How long it could have gone on without being `down`. Sum, ms. */
  readonly roomMs: number;
}

export const NO_CALIBRATION: Calibration = { days: [] };

const DAY_MS = 86_400_000;
const MOST_DAYS = 30;
const NONE: BlipSums = { count: 0, heardMs: 0, lastedMs: 0, roomMs: 0 };

/** With one more regular attempt that found all well: it watched over an interval. */
export function withLook(calibration: Calibration, intervalMs: number): Calibration {
  const { before, today } = split(calibration);
  return {
    days: [...before, { ...today, watchedMs: today.watchedMs + intervalMs, looks: today.looks + 1 }],
  };
}

/** With one more blip, which these windows let pass. */
export function withBlip(
  calibration: Calibration,
  { cls, heardMs, lastedMs }: Blip,
  confirm: ConfirmWindows,
): Calibration {
  const { before, today } = split(calibration);
  const sums = today.blips[cls] ?? NONE;
  const roomMs = confirm[cls] - heardMs;
  // It outlasted its window, and something held the verdict back, such as an anchor that did not answer either.
  if (lastedMs >= roomMs) return calibration;
  const grown: BlipSums = {
    count: sums.count + 1,
    heardMs: sums.heardMs + heardMs,
    lastedMs: sums.lastedMs + lastedMs,
    roomMs: sums.roomMs + roomMs,
  };
  return { days: [...before, { ...today, blips: { ...today.blips, [cls]: grown } }] };
}

/** All days together. */
export function totalOf({ days }: Calibration): Omit<Day, 'blips'> & {
  readonly blips: Readonly<Record<EvidenceClass, BlipSums>>;
} {
  const sum = (value: (day: Day) => number): number => days.reduce((total, day) => total + value(day), 0);
  const sumsOf = (cls: EvidenceClass): BlipSums => ({
    count: sum(({ blips }) => blips[cls]?.count ?? 0),
    heardMs: sum(({ blips }) => blips[cls]?.heardMs ?? 0),
    lastedMs: sum(({ blips }) => blips[cls]?.lastedMs ?? 0),
    roomMs: sum(({ blips }) => blips[cls]?.roomMs ?? 0),
  });
  return {
    watchedMs: sum(({ watchedMs }) => watchedMs),
    looks: sum(({ looks }) => looks),
    blips: { explicit: sumsOf('explicit'), silent: sumsOf('silent'), path: sumsOf('path') },
  };
}

/** So much watching that it should not be lost, ms. */
const MUCH_MS = 3_600_000;

/** Whether enough was learned that it should be kept. */
export function hasLearned(before: Calibration, after: Calibration): boolean {
  if (before === after) return false;
  const [then, now] = [totalOf(before), totalOf(after)];
  return (
    Math.abs(now.watchedMs - then.watchedMs) >= MUCH_MS ||
    EVIDENCE_CLASSES.some((cls) => now.blips[cls].count !== then.blips[cls].count)
  );
}

function split({ days }: Calibration): { readonly before: readonly Day[]; readonly today: Day } {
  const last = days.at(-1);
  return last && last.watchedMs < DAY_MS
    ? { before: days.slice(0, -1), today: last }
    : { before: days.slice(-(MOST_DAYS - 1)), today: { watchedMs: 0, looks: 0, blips: {} } };
}

export interface Blip {
  /** The strongest class that all of its failures are evidence of: the one whose window it would have met. */
  readonly cls: EvidenceClass;
  readonly heardMs: number;
  readonly lastedMs: number;
}

/** A suspicion under way, of which it is not known yet how it ends. Times are monotonic ms. */
export interface Suspicion {
  readonly cls: EvidenceClass;
  readonly startedAt: number;
  readonly firstEnd: number;
  readonly lastEnd: number;
  /** False once anything but the target may have been the cause. */
  readonly counts: boolean;
}

export interface Seen {
  readonly attempt: Attempt;
  readonly before: Health;
  readonly after: Health;
  /** Neither the agent, nor a dependency, nor a pause has a part in it. */
  readonly clear: boolean;
}

/** Follows a suspicion by one more attempt; the blip, where it ended as one. */
export function followed(
  suspicion: Suspicion | null,
  { attempt, before, after, clear }: Seen,
): { readonly suspicion: Suspicion | null; readonly blip: Blip | null } {
  const { outcome, startedAt, latencyMs } = attempt;
  if (outcome.status === 'void')
    return { suspicion: suspicion && { ...suspicion, counts: false }, blip: null };
  // It said nothing: a newer attempt had been judged already.
  if (after === before) return { suspicion, blip: null };
  const end = startedAt + latencyMs;
  const failed = classOf(outcome);
  if (after.state === 'suspect' && failed) {
    const first = suspicion ?? { cls: failed, startedAt, firstEnd: end, counts: before.state !== 'suspect' };
    const cls = EVIDENCE_CLASSES.indexOf(failed) > EVIDENCE_CLASSES.indexOf(first.cls) ? failed : first.cls;
    return { suspicion: { ...first, cls, lastEnd: end, counts: first.counts && clear }, blip: null };
  }
  const isBlip = before.state === 'suspect' && after.state === 'up' && suspicion?.counts === true && clear;
  return { suspicion: null, blip: isBlip ? blipOf(suspicion, end) : null };
}

/**
 * Measured from the end of the first failure: one that is shorter than a timeout is never seen, and what is left of an
 * exponential outage after that is as long as a whole one. Silence ends when the answer comes; of a target that says no
 * it is only known that it changed its mind between two attempts.
 */
function blipOf({ cls, startedAt, firstEnd, lastEnd }: Suspicion, end: number): Blip {
  const over = cls === 'explicit' ? (lastEnd + end) / 2 : end;
  return { cls, heardMs: firstEnd - startedAt, lastedMs: Math.max(0, over - firstEnd) };
}
