import type { Phase } from '../../core/outcome.ts';
import { formatDuration } from '../../core/units.ts';
import type { Look } from '../look.ts';
import type { Paint } from '../style.ts';
import { INDENT, type Page, milliseconds } from './page.ts';

/** One stay in a phase; a redirect or a dialogue comes through some of them more than once. */
export interface Span {
  readonly phase: Phase;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Each stay lasts until the next one begins, the last one until the outcome. */
export function spansOf({ phases, attempt }: Pick<Look, 'phases' | 'attempt'>): Span[] {
  return phases.map(({ atMs, phase }, index) => ({
    phase,
    fromMs: Math.min(atMs, attempt.latencyMs),
    toMs: Math.min(phases[index + 1]?.atMs ?? attempt.latencyMs, attempt.latencyMs),
  }));
}

const COLOUR: Readonly<Record<Phase, Parameters<Paint>[0]>> = {
  queue: 'magenta',
  dns: 'yellow',
  connect: 'blue',
  tls: 'magenta',
  send: 'cyan',
  wait: 'green',
  receive: 'cyan',
};

const WIDEST_BAR = 80;
const BAR_WHEN_ENDLESS = 40;
const LABEL = 8;
const TIME = 8;

/** A row for each phase: when it was on, along the whole attempt, and how long in all. */
export function waterfall(look: Look, { paint, columns }: Page): string[] {
  const spans = spansOf(look);
  const { latencyMs } = look.attempt;
  const room = columns - INDENT.length - LABEL - 2 - TIME - 2;
  const width = Number.isFinite(columns) ? Math.max(10, Math.min(WIDEST_BAR, room)) : BAR_WHEN_ENDLESS;
  const names = [...new Set(spans.map(({ phase }) => phase))];
  const row = (label: string, ms: number, bar: string): string =>
    `${INDENT}${label.padEnd(LABEL)}${milliseconds(ms).padStart(TIME)}  ${bar}`.trimEnd();
  const rows = names.map((phase) => {
    const own = spans.filter((span) => span.phase === phase);
    const ms = own.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    return row(phase, ms, paint(COLOUR[phase], bar(own, latencyMs, width)));
  });
  const limit = formatDuration(look.target.rules.timeoutMs);
  return [...rows, row('total', latencyMs, paint('gray', `of the ${limit} that it may take`))];
}

/** Half a column is the least that can be drawn; what took less is drawn as that. */
function bar(spans: readonly Span[], totalMs: number, width: number): string {
  const halves = 2 * width;
  const scale = halves / Math.max(totalMs, Number.EPSILON);
  const full = Array.from({ length: halves }, () => false);
  for (const { fromMs, toMs } of spans) {
    const from = Math.min(halves - 1, Math.floor(fromMs * scale));
    const to = Math.max(from + 1, Math.round(toMs * scale));
    full.fill(true, from, to);
  }
  let drawn = '';
  for (let at = 0; at < halves; at += 2) drawn += HALVES[Number(full[at]) * 2 + Number(full[at + 1])];
  return drawn.trimEnd();
}

/** Neither half, the right one, the left one, both. */
const HALVES = [' ', '▐', '▌', '█'] as const;
