import { type Calibration, totalOf } from './calibration.ts';
import type { ConfirmWindows } from './evidence.ts';
import { EVIDENCE_CLASSES, type EvidenceClass } from './outcome.ts';
import type { Rules } from './target.ts';
import { formatRate } from './units.ts';

/**
 * What is promised of a target, instead of an interval and windows, which are derived from its own history. After the
 * configurator of Chen, Toueg and Aguilera, On the Quality of Service of Failure Detectors (2002), section 4: the largest
 * interval for which both promises hold; with exponential outages in the place of independent losses.
 */
export interface Contract {
  /** From a lasting fault to `down`, at most, ms. */
  readonly detectWithinMs: number;
  /** Verdicts of `down` by outages that end by themselves, at most, per ms. */
  readonly maxFalseDown: number;
  /** What was written beside the contract: it stands, and the rest is made to fit. */
  readonly written: { readonly intervalMs?: number; readonly confirm: Partial<ConfirmWindows> };
}

/** What was chosen for a contract, and why. Plain data. */
export interface Derivation {
  /** The target's rules with the interval and the windows that were chosen. */
  readonly rules: Rules;
  /** Both promises hold by what is known of the target. */
  readonly kept: boolean;
  /** What can be promised with these rules: ms from a fault to `down`, and false verdicts per ms. */
  readonly detectsWithinMs: number;
  readonly falseDown: number;
  /** How many ms `detect_within` would have to be for the rate that was asked for. */
  readonly neededMs: number;
  /** What it rests on: how long the target has been watched, ms, and its blips. */
  readonly watchedMs: number;
  readonly blips: Readonly<Record<EvidenceClass, Blips>>;
}

/** What is known of one class of blips, and the window that it asks for. */
export interface Blips {
  readonly count: number;
  /** Blips per ms, at the interval that was chosen. */
  readonly rate: number;
  /** How long the first failure of one takes to be heard, ms. */
  readonly heardMs: number;
  /** How long one lasts after that, on average, ms. */
  readonly meanMs: number;
  /** The window that keeps the rate, ms; what was chosen may be longer, or had no room. */
  readonly wantedMs: number;
}

/**
 * What stands for the first blip of each class before there is one: with a timeout of 2s and one false verdict in 30
 * days it makes the default windows. Measured blips outweigh it from the second one on.
 */
const ASSUMED = { explicit: 130, silent: 260, path: 520 } as const satisfies ConfirmWindows;
const ASSUMED_WATCH_MS = 3_600_000;

/** Round ones, so that small changes of what is known change nothing. Somebody looks each minute, however patient. */
const INTERVALS = [
  100, 200, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000,
] as const;

type Timing = Pick<Rules, 'timeoutMs' | 'retryIntervalMs' | 'failureThreshold' | 'suspectAfter'>;

export function deriveRules(contract: Contract, calibration: Calibration, rules: Rules): Derivation {
  const known = knownOf(calibration, rules);
  const choices = intervalsFor(contract, rules).map((intervalMs) =>
    choiceAt(intervalMs, contract, known, rules),
  );
  const choice = choices.findLast(({ kept }) => kept) ?? choices[0]!;
  const { intervalMs, confirm, ...promise } = choice;
  return {
    rules: { ...rules, intervalMs, confirm },
    ...promise,
    neededMs: choices[0]!.neededMs,
    watchedMs: known.watchedMs,
  };
}

/** The least that a contract with these rules can promise, whatever the target's history, ms; and what it is made of. */
export function leastDetection(
  { written }: Pick<Contract, 'written'>,
  rules: Timing,
): { readonly ms: number; readonly intervalMs: number; readonly confirmMs: number } {
  const intervalMs = written.intervalMs ?? leastInterval(rules);
  const confirmMs = Math.max(
    ...EVIDENCE_CLASSES.map((cls) => heardAfter(cls, written.confirm[cls] ?? 0, rules)),
  );
  return { ms: intervalMs + confirmMs, intervalMs, confirmMs };
}

/** From the start of the first failure to the verdict of this class, at most, ms. */
function heardAfter(cls: EvidenceClass, windowMs: number, rules: Timing): number {
  // The last attempt starts with the end of the explicit window, and may take its time to say no.
  return Math.max(leastWindow('silent', rules), windowMs + (cls === 'explicit' ? rules.timeoutMs : 0));
}

/** What `failure_threshold` failures take, however short the window, ms. */
function leastWindow(
  cls: EvidenceClass,
  { failureThreshold, retryIntervalMs, timeoutMs, suspectAfter }: Timing,
): number {
  if (cls === 'explicit') return (failureThreshold - 1) * retryIntervalMs;
  if (failureThreshold === 1) return timeoutMs;
  // Learned points of suspicion may be as late as the timeout.
  const suspicion = typeof suspectAfter === 'number' ? Math.min(suspectAfter, timeoutMs) : timeoutMs;
  return Math.max(suspicion, retryIntervalMs) + (failureThreshold - 2) * retryIntervalMs + timeoutMs;
}

function leastInterval({ timeoutMs, retryIntervalMs }: Timing): number {
  return Math.max(timeoutMs, retryIntervalMs);
}

function intervalsFor({ written }: Contract, rules: Timing): readonly number[] {
  if (written.intervalMs !== undefined) return [written.intervalMs];
  const least = leastInterval(rules);
  return [least, ...INTERVALS.filter((interval) => interval > least)];
}

/** How often, how long: what is known of each class, with what is assumed. */
interface Known {
  readonly watchedMs: number;
  readonly classes: Readonly<Record<EvidenceClass, KnownClass>>;
}
interface KnownClass {
  readonly count: number;
  readonly heardMs: number;
  readonly meanMs: number;
  /** How many come per ms at this interval: those shorter than it may fall between two attempts. */
  rateAt(intervalMs: number): number;
}

function knownOf(calibration: Calibration, { timeoutMs }: Timing): Known {
  const { watchedMs, looks, blips } = totalOf(calibration);
  const classOf = (cls: EvidenceClass): KnownClass => {
    const { count, heardMs, lastedMs, roomMs } = blips[cls];
    const weight = count + 1;
    const seenMs = untruncated((lastedMs + ASSUMED[cls]) / weight, count === 0 ? Infinity : roomMs / count);
    // One standard error on top: of few blips little is known.
    const meanMs = seenMs * (1 + 1 / Math.sqrt(weight));
    const passed = count === 0 ? 1 : 1 - Math.exp(-roomMs / count / seenMs);
    const rate = (count / passed + 1) / (watchedMs + ASSUMED_WATCH_MS);
    const share = (intervalMs: number): number => Math.min(1, seenMs / intervalMs);
    return {
      count,
      heardMs: (heardMs + (cls === 'explicit' ? 0 : timeoutMs)) / weight,
      meanMs,
      rateAt: (intervalMs) =>
        (rate * share(intervalMs)) / share(looks === 0 ? intervalMs : watchedMs / looks),
    };
  };
  return {
    watchedMs,
    classes: { explicit: classOf('explicit'), silent: classOf('silent'), path: classOf('path') },
  };
}

/** Where the mean is no shorter than this share of the window, it can not be told from a longer one. */
const LEAST_TOLD = 0.6;

/**
 * The mean B of exponential times of which only those below `limit` are seen, and their mean: the solution of
 * seen = B - limit / (exp(limit / B) - 1), maximum likelihood by Deemer and Votaw, Estimation of Parameters of Truncated
 * or Censored Exponential Distributions, Annals of Mathematical Statistics 26 (1955). What outlasted the window went
 * down, and whether that was a blip or a fault nobody can say.
 */
function untruncated(seen: number, limit: number): number {
  if (limit === Infinity) return seen;
  const seenShare = (x: number): number => 1 / x - 1 / Math.expm1(x);
  let low = LEAST_TOLD;
  let high = Math.max(low, (2 * limit) / seen);
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (seenShare(middle) > seen / limit) low = middle;
    else high = middle;
  }
  return limit / low;
}

interface Choice extends Omit<Derivation, 'rules' | 'watchedMs'> {
  readonly intervalMs: number;
  readonly confirm: ConfirmWindows;
}

/** The windows for one interval: as long as the rate asks for, and no longer than there is room. */
function choiceAt(
  intervalMs: number,
  { detectWithinMs, maxFalseDown, written }: Contract,
  { classes }: Known,
  rules: Rules,
): Choice {
  const each = (cls: EvidenceClass) => {
    const { count, heardMs, meanMs, rateAt } = classes[cls];
    const rate = rateAt(intervalMs);
    const share = maxFalseDown / EVIDENCE_CLASSES.length;
    const wantedMs = roundedUp(
      Math.max(leastWindow(cls, rules), heardMs + meanMs * Math.max(0, Math.log(rate / share))),
    );
    const room = detectWithinMs - intervalMs - (cls === 'explicit' ? rules.timeoutMs : 0);
    const windowMs = written.confirm[cls] ?? Math.max(leastWindow(cls, rules), Math.min(room, wantedMs));
    return {
      windowMs,
      falseDown: rate * Math.exp(-Math.max(0, windowMs - heardMs) / meanMs),
      detectsWithinMs: intervalMs + heardAfter(cls, windowMs, rules),
      neededMs: intervalMs + heardAfter(cls, written.confirm[cls] ?? wantedMs, rules),
      blips: { count, rate, heardMs, meanMs, wantedMs },
    };
  };
  const [explicit, silent, path] = [each('explicit'), each('silent'), each('path')];
  const all = [explicit, silent, path];
  const detectsWithinMs = Math.max(...all.map((one) => one.detectsWithinMs));
  const falseDown = all.reduce((sum, one) => sum + one.falseDown, 0);
  return {
    intervalMs,
    confirm: { explicit: explicit.windowMs, silent: silent.windowMs, path: path.windowMs },
    kept: detectsWithinMs <= detectWithinMs && falseDown <= maxFalseDown,
    detectsWithinMs,
    falseDown,
    neededMs: Math.max(...all.map((one) => one.neededMs)),
    blips: { explicit: explicit.blips, silent: silent.blips, path: path.blips },
  };
}

/** A rate per ms for people: `1/30d`. What comes less than once in a hundred years is as good as that. */
export function onceIn(perMs: number): string {
  return formatRate({ most: 1, withinMs: Math.min(1 / perMs, LIFETIME_MS) });
}
const LIFETIME_MS = 36_500 * 86_400_000;

/** To two digits. */
function roundedUp(ms: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 1);
  return Math.ceil(ms / step) * step;
}
