import type { ExplanationAnswer, JudgedAnswer } from '../../api/explanation.ts';
import type { RecoveryStatus } from '../../api/recovery.ts';
import { plain } from '../../core/plain.ts';
import { formatDuration } from '../../core/units.ts';
import { STATE_COLOUR, STATUS_COLOUR } from '../style.ts';
import { cut, displayWidth, padded, wrapped } from '../width.ts';
import { gist } from './gist.ts';
import { INDENT, type Page, section } from './page.ts';
import { MARK } from './verdict.ts';
import { termRows } from './terms.ts';
import { type Moments, brief, momentsFrom } from './moments.ts';

/** Fewer are nothing to speak of. */
const MANY_OF_TEN = 4;

/** All that an agent says of why a target is what it is, for a person, at night. */
export function explanation(answer: ExplanationAnswer, page: Page): string {
  const { paint, columns } = page;
  const moments = momentsFrom(Date.parse(answer.at));
  const head = [
    paint('bold', plain(answer.target)),
    paint(STATE_COLOUR[answer.state], answer.state),
    answer.probe,
  ];
  return [
    [...head, ...flagsOf(answer).map((flag) => paint('yellow', flag))].join('  '),
    ...gist(answer, moments).flatMap((text) => wrapped(text, Math.min(columns, 80))),
    ...section('verdicts and news held back now', heldLines(answer, page), page),
    ...(answer.recovery ? section('recovery', recoveryLines(answer.recovery, moments, page), page) : []),
    ...section(nextTitle(answer, moments), nextLines(answer, moments, page), page),
    ...section(
      `${answer.outlook[0]?.state ?? 'down'}, if from now on it is`,
      outlookLines(answer, moments, page),
      page,
    ),
    ...section('rule', ruleLines(answer, page), page),
    ...(answer.contract ? section('contract', entries(termRows(answer.contract), page), page) : []),
    ...section('last judgements', historyLines(answer, moments, page), page),
  ].join('\n');
}

function flagsOf({ degraded, flaps, doubt, gates }: ExplanationAnswer): string[] {
  const closed = (name: string): boolean => gates.some(({ gate, holds }) => gate === name && holds);
  return [
    ...(degraded === null ? [] : ['degraded']),
    ...(flaps.flapping ? ['flapping'] : []),
    ...(closed('unreachable') ? ['unreachable'] : []),
    ...(closed('hushed') ? ['paused'] : []),
    ...(doubt.doubtful ? ['stale'] : []),
  ];
}

/** Names at the left, as wide as the widest, and what there is to say of each, on as many lines as it takes. */
function entries(rows: readonly (readonly [name: string, text: string])[], { columns }: Page): string[] {
  const width = Math.max(0, ...rows.map(([name]) => displayWidth(name)));
  const room = Math.max(20, Math.min(columns, 80) - INDENT.length - width - 2);
  return rows.flatMap(([name, text]) =>
    wrapped(text, room).map((line, index) => `${INDENT}${padded(index === 0 ? name : '', width)}  ${line}`),
  );
}

function heldLines({ gates }: ExplanationAnswer, page: Page): string[] {
  const closed = gates.filter(({ holds }) => holds);
  if (closed.length === 0) return [`${INDENT}nothing`];
  return entries(
    closed.map(({ gate, why }) => [gate, plain(why)]),
    page,
  );
}

function recoveryLines(
  { mode, next, gave_up, used, phase, holds }: RecoveryStatus,
  moments: Moments,
  page: Page,
): string[] {
  const tried = Object.entries(used).map(
    ([step, times]) => `${plain(step)} ${times === 1 ? 'once' : `${times} times`}`,
  );
  return entries(
    [
      ['mode', mode],
      ...(tried.length > 0 ? [['tried', tried.join(', ')] as const] : []),
      ...(gave_up === null
        ? [['next', next === null ? 'no step' : plain(next)] as const]
        : [['gave up', `${plain(gave_up)}; \`vitald ack\` arms it again`] as const]),
      ...(phase === null ? [] : [['now', phase] as const]),
      ...holds.map(
        ({ gate, why, in_ms }) =>
          [
            gate,
            `${plain(why)}${in_ms === null ? '' : `, until ${moments.at(in_ms)} (${moments.until(in_ms)})`}`,
          ] as const,
      ),
    ],
    page,
  );
}

function nextTitle({ next }: ExplanationAnswer, moments: Moments): string {
  const [first] = next;
  if (!first) return 'next attempt, as soon as the one under way has ended';
  return first.under_way
    ? `the attempt that began at ${moments.at(first.in_ms)}`
    : `the next attempt, at ${moments.at(first.in_ms)} (${moments.until(first.in_ms)})`;
}

/** Outcomes that come to the same share a line. */
function nextLines({ next, state: now }: ExplanationAnswer, moments: Moments, page: Page): string[] {
  const [first] = next;
  if (!first) return [];
  const texts = new Map<string, string>();
  for (const { outcome, from_ms, state, news, held } of first.outcomes) {
    const told = news.length > 0 ? `, ${news.join(' and ')} is told` : '';
    const kept = held === null ? '' : `; ${plain(held)}`;
    const what = outcome === 'void' ? `${now}: it does not count` : `${state}${told}${kept}`;
    const before = texts.get(outcome);
    texts.set(
      outcome,
      before === undefined ? what : `${before}; ${what} if it ends at ${moments.at(from_ms ?? 0)} or later`,
    );
  }
  return entries(grouped([...texts]), page);
}

/** Names of the same text share a line. */
function grouped(rows: readonly (readonly [name: string, text: string])[]): [string, string][] {
  const byText = new Map<string, string[]>();
  for (const [name, text] of rows) byText.set(text, [...(byText.get(text) ?? []), name]);
  return [...byText].map(([text, names]) => [names.join(', '), text]);
}

function outlookLines({ outlook }: ExplanationAnswer, moments: Moments, page: Page): string[] {
  const rows = outlook.map(({ outcome, attempts, in_ms, held }) => {
    if (held !== null) return [outcome, `not now: ${plain(held)}`] as const;
    if (attempts === null || in_ms === null) return [outcome, 'not within a thousand attempts'] as const;
    const times = attempts === 1 ? 'once' : `${attempts} times`;
    return [outcome, `${times}: at ${moments.at(in_ms)} (${moments.until(in_ms)})`] as const;
  });
  return entries(grouped(rows), page);
}

function ruleLines({ rule, recent, flaps }: ExplanationAnswer, page: Page): string[] {
  const { windows_ms: windows } = rule;
  const longer =
    rule.stretched_by > 1 ? `, ${rule.stretched_by} times as long as written, for the agent's doubt` : '';
  const again = rule.suspect_after_ms;
  return entries(
    [
      [
        'asked',
        `every ${formatDuration(rule.interval_ms)} for at most ${formatDuration(rule.timeout_ms)}; every ${formatDuration(rule.retry_interval_ms)} while suspect or recovering${again === null ? '' : `; again where there is no answer after ${formatDuration(again)}`}`,
      ],
      [
        'down',
        `after ${rule.failure_threshold} failures in a row${lasting(windows)}${longer}; or 8 of the last 10 (${recent.failures} of ${recent.of} now)`,
      ],
      ['up', `after ${rule.success_threshold} good answers in a row`],
      ...(rule.slow_from_ms === null
        ? []
        : [['slow', `from ${formatDuration(rule.slow_from_ms)} on`] as const]),
      ...(flaps.penalty === 0
        ? []
        : [['flapping', `from a penalty of 3000 on; it has ${flaps.penalty}`] as const]),
    ],
    page,
  );
}

function lasting({ explicit, silent, path }: ExplanationAnswer['rule']['windows_ms']): string {
  if (explicit === silent && silent === path)
    return explicit === 0 ? '' : ` over ${formatDuration(explicit)}`;
  return ` over ${formatDuration(explicit)} (explicit), ${formatDuration(silent)} (silent), ${formatDuration(path)} (path)`;
}

function historyLines({ history }: ExplanationAnswer, moments: Moments, page: Page): string[] {
  if (history.length === 0) return [`${INDENT}none yet`];
  const { paint, columns } = page;
  const width = Math.max(...history.map(({ state }) => state.length));
  return history.toReversed().flatMap((judged) => {
    const { first_at, status, reason, message, state } = judged;
    const time = moments.clock(Date.parse(first_at));
    const indent = ' '.repeat(INDENT.length + time.length + 2 + 2 + width + 2);
    const room = Math.max(20, Math.min(columns, 80) - indent.length);
    const head = [
      paint('gray', time),
      `${paint(STATUS_COLOUR[status], MARK[status])} ${paint(STATE_COLOUR[state], padded(state, width))}`,
    ];
    const said = `${reason === null ? '' : `${reason}: `}${plain(message)}`;
    return [
      `${INDENT}${head.join('  ')}  ${cut(said, room)}`,
      ...detailsOf(judged, moments)
        .flatMap((text) => wrapped(text, room))
        .map((line) => indent + paint('gray', line)),
    ];
  });
}

function detailsOf({ times, at, evidence, of_last_ten, held }: JudgedAnswer, moments: Moments): string[] {
  // What holds for a class holds for those behind it as well.
  const runs = evidence.filter(
    ({ failures, lasted_ms }, index) =>
      index === 0 ||
      failures !== evidence[index - 1]!.failures ||
      lasted_ms !== evidence[index - 1]!.lasted_ms,
  );
  const counted = [
    ...(times > 1 ? [`${times} times until ${moments.clock(Date.parse(at))}`] : []),
    ...runs.map(({ class: cls, failures, lasted_ms }) => `${cls} ${failures} in ${brief(lasted_ms)}`),
    ...(of_last_ten > MANY_OF_TEN ? [`${of_last_ten} of the last 10 failed`] : []),
  ];
  return [
    ...(counted.length > 0 ? [counted.join(', ')] : []),
    ...(held === null ? [] : [`held: ${plain(held)}`]),
  ];
}
