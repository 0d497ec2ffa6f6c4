import type { Attempt, Status } from '../../core/outcome.ts';
import { plain } from '../../core/plain.ts';
import { type Paint, STATUS_COLOUR } from '../style.ts';
import { cut } from '../width.ts';
import { type Page, milliseconds } from './page.ts';
import { MARK } from './verdict.ts';

/** How many attempts the little curve shows, where there is room. */
export const LONGEST_CURVE = 20;
const SHORT_CURVE = 10;
const ROOMY = 100;
const BARS = '▁▂▃▄▅▆▇█';
/** What stands before the curve, and the blanks after it. */
const BEFORE_CURVE = 12 + 2 + 6 + 2 + 8 + 2 + 2;

/** One attempt in a row of many; what is not as it was before stands out. */
export function watchLine(attempts: readonly Attempt[], { paint, columns }: Page): string {
  const attempt = attempts.at(-1)!;
  const before = attempts.at(-2);
  const { outcome } = attempt;
  const said =
    outcome.status === 'fail' ? `${outcome.reason}: ${plain(outcome.message)}` : plain(outcome.message);
  const changed =
    before === undefined || !sameOutcome(before, attempt) || before.outcome.message !== outcome.message;
  const curveWidth = columns < ROOMY ? SHORT_CURVE : LONGEST_CURVE;
  const message = cut(said, Math.max(20, columns - BEFORE_CURVE - curveWidth));
  return [
    paint('gray', clockTime(attempt.at)),
    paint(STATUS_COLOUR[outcome.status], `${MARK[outcome.status]} ${outcome.status.padEnd(4)}`),
    milliseconds(attempt.latencyMs).padStart(8),
    curve(attempts.slice(-curveWidth), curveWidth, paint),
    changed ? paint('bold', message) : paint('gray', message),
  ].join('  ');
}

/** Whether a person would call it the same answer. */
export function sameOutcome(a: Attempt, b: Attempt): boolean {
  const reason = (attempt: Attempt): string =>
    attempt.outcome.status === 'fail' ? attempt.outcome.reason : '';
  return a.outcome.status === b.outcome.status && reason(a) === reason(b);
}

/** The newest at the right; the highest is the longest of those shown. */
function curve(attempts: readonly Attempt[], width: number, paint: Paint): string {
  const most = Math.max(...attempts.map(({ latencyMs }) => latencyMs));
  const drawn = attempts.map(({ latencyMs, outcome }) => {
    const step = Math.min(BARS.length - 1, Math.floor((latencyMs / most) * BARS.length));
    return paint(STATUS_COLOUR[outcome.status], outcome.status === 'fail' ? '×' : BARS[step]!);
  });
  return ' '.repeat(width - attempts.length) + drawn.join('');
}

/** What a watch has seen so far. */
export interface Tally {
  readonly counts: Record<Status, number>;
  readonly latencies: number[];
}

export function newTally(): Tally {
  return { counts: { ok: 0, warn: 0, fail: 0, void: 0 }, latencies: [] };
}

/** What a watch comes to: how many of each outcome, and how long they took. */
export function watchSummary({ counts, latencies }: Tally, { paint }: Page): string {
  const total = `${latencies.length} ${latencies.length === 1 ? 'attempt' : 'attempts'}`;
  if (latencies.length === 0) return total;
  const said = (Object.keys(counts) as Status[])
    .filter((status) => counts[status] > 0)
    .map((status) => paint(STATUS_COLOUR[status], `${counts[status]} ${status}`));
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    milliseconds(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!);
  return [
    `${total}: ${said.join(', ')}`,
    `latency: least ${at(0)}, median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`,
  ].join('\n');
}

/** Local time of day, to the millisecond. */
function clockTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
