import { NO_CALIBRATION } from '../core/calibration.ts';
import { type Contract, deriveRules, leastDetection, onceIn } from '../core/contract.ts';
import type { ConfirmWindows } from '../core/evidence.ts';
import type { Rules } from '../core/target.ts';
import { formatDuration, parseDuration, parseRate } from '../core/units.ts';
import { duration, rate } from '../schema/scalars.ts';

type Written = Readonly<Record<string, unknown>>;
type Windows = Partial<Record<keyof ConfirmWindows, number | undefined>> | undefined;
type TellProblem = (key: string, message: string) => void;

/** The keys of a contract, for targets and `defaults:`. */
export const contractKeys = {
  detect_within: duration()
    .optional()
    .describe('from a fault to `down`, at most: `interval` and `confirm` are made to fit'),
  max_false_down: rate()
    .optional()
    .describe('how often an outage that ends by itself may be taken for `down`; belongs to `detect_within`'),
};

const KEYS = ['detect_within', 'max_false_down'] as const;

/** What one layer over the other says of a contract, and what it leaves to say. */
export interface Asked {
  readonly detectWithinMs: number;
  readonly maxFalseDown: number;
  /** The target says it itself: it outranks what `defaults:` and the file say of interval and windows. */
  readonly own: boolean;
}

/** Undefined where there is no contract, or half of one, which is a problem. */
export function askedOf(written: Written, defaults: Written, problem: TellProblem): Asked | undefined {
  const [within, rate] = KEYS.map((key) => written[key] ?? defaults[key]);
  if (within === undefined && rate === undefined) return undefined;
  if (within === undefined || rate === undefined) {
    const [there, missing] = rate === undefined ? KEYS : KEYS.toReversed();
    const example = missing === 'detect_within' ? '12s' : '1/30d';
    problem(there, `${there} needs a ${missing} beside it, such as ${example}: a contract is made of both`);
    return undefined;
  }
  const detectWithinMs = parseDuration(String(within));
  const allowed = parseRate(String(rate));
  if (detectWithinMs === undefined || !allowed) return undefined;
  const maxFalseDown = allowed.most / allowed.withinMs;
  return { detectWithinMs, maxFalseDown, own: KEYS.some((key) => written[key] !== undefined) };
}

/** The contract, and the rules that begin it; what no history could mend is a problem. */
export function contractOf(
  { own, ...asked }: Asked,
  rules: Rules,
  layers: { readonly written: Written; readonly defaults: Written; readonly confirm: readonly Windows[] },
  problem: TellProblem,
  /** What may turn out well, once there is a history. */
  warn: TellProblem,
): { readonly contract: Contract; readonly rules: Rules } {
  const { written, defaults } = layers;
  const hasInterval = written['interval'] !== undefined || (!own && defaults['interval'] !== undefined);
  const contract: Contract = {
    ...asked,
    written: {
      ...(hasInterval && { intervalMs: rules.intervalMs }),
      confirm: writtenWindows(own ? layers.confirm.slice(0, 1) : layers.confirm),
    },
  };
  const mistake = impossible(contract, rules);
  const derived = deriveRules(contract, NO_CALIBRATION, rules);
  // What a target says itself over a contract in `defaults:` is what breaks it there.
  const key = own ? undefined : ['interval', 'confirm'].find((one) => written[one] !== undefined);
  if (mistake !== undefined) problem(key ?? 'detect_within', mistake);
  else if (!derived.kept) {
    const [rate, needed] = [onceIn(derived.falseDown), formatDuration(derived.neededMs)];
    warn(
      key ?? 'detect_within',
      `${onceIn(asked.maxFalseDown)} within ${formatDuration(asked.detectWithinMs)} cannot be kept by what is assumed of a new target: it comes to ${rate}; detect_within ${needed} would do`,
    );
  }
  return { contract, rules: derived.rules };
}

function writtenWindows(layers: readonly Windows[]): Partial<ConfirmWindows> {
  const windows: { -readonly [Cls in keyof ConfirmWindows]?: number } = {};
  for (const cls of ['explicit', 'silent', 'path'] as const) {
    const window = layers.find((layer) => layer?.[cls] !== undefined)?.[cls];
    if (window !== undefined) windows[cls] = window;
  }
  return windows;
}

/** The rules that this many confirmations at once would be needed for are not those of a contract. */
const MOST_SPACINGS = 8;

function impossible(contract: Contract, rules: Rules): string | undefined {
  const { timeoutMs, retryIntervalMs, failureThreshold } = rules;
  const [timeout, retry] = [formatDuration(timeoutMs), formatDuration(retryIntervalMs)];
  if (timeoutMs > MOST_SPACINGS * retryIntervalMs) {
    return `a contract needs a timeout of at most ${MOST_SPACINGS} times the retry_interval, and ${timeout} is more than that of ${retry}`;
  }
  const { ms, intervalMs, confirmMs } = leastDetection(contract, rules);
  if (ms <= contract.detectWithinMs) return undefined;
  const fixed = contract.written.intervalMs !== undefined || Object.keys(contract.written.confirm).length > 0;
  const by = [
    ...(fixed ? ['the interval or confirm as written'] : []),
    `timeout ${timeout}`,
    `retry_interval ${retry}`,
  ];
  return [
    `${formatDuration(contract.detectWithinMs)} cannot be kept: an interval of ${formatDuration(intervalMs)} and ${formatDuration(confirmMs)} to be sure`,
    `make ${formatDuration(ms)}, by ${by.join(', ')} and failure_threshold ${failureThreshold}`,
  ].join(' ');
}

/** The contract in the user's words; the interval and the windows that it derives are not among them. */
export function contractWords(words: Written, contract: Contract, asked: Written): Record<string, unknown> {
  const { interval, confirm: _derived, ...rest } = words;
  const { written } = contract;
  const windows = Object.entries(written.confirm).map(([cls, ms]) => [cls, formatDuration(ms)]);
  return {
    ...rest,
    ...(written.intervalMs !== undefined && { interval }),
    ...(windows.length > 0 && { confirm: Object.fromEntries(windows) as Written }),
    ...Object.fromEntries(KEYS.map((key) => [key, asked[key]])),
  };
}
