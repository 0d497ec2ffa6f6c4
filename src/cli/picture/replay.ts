import type { Span } from '../../core/replay.ts';
import { plain } from '../../core/plain.ts';
import { formatDuration } from '../../core/units.ts';
import {
  type ActionPair,
  type Comparison,
  type TargetComparison,
  differenceOf,
  shiftsOf,
  summaryOf,
} from '../replay-record.ts';
import { table } from '../style.ts';
import { wrapped } from '../width.ts';
import { localTime } from '../windows.ts';
import type { Page } from './page.ts';

/** What differs, line by line, and what it comes to. */
export function replayPage(comparison: Comparison, { paint, columns }: Page): string {
  const { targets, notes } = comparison;
  const rows = [
    ...targets.flatMap((target) => [...incidentRows(target), ...actionRows(target)]),
    ...comparison.gaveUp.map(({ target, why }) => [
      plain(target),
      'recovery',
      '',
      '',
      `would give up: ${why}`,
    ]),
  ];
  const head = ['TARGET', 'WHAT', 'RECORDED', 'WITH FILES', 'DIFFERENCE'];
  const body = table(head, rows, columns, (text, row, column) => {
    if (row === -1) return paint('gray', text);
    return column === 0 ? paint('bold', text) : text;
  });
  return [
    ...(rows.length === 0 ? [] : [body, '']),
    ...summaryLines(comparison).flatMap((line) => wrapped(line, columns)),
    ...notes.flatMap((note) =>
      wrapped(plain(note), columns - 2).map((line, index) =>
        paint('gray', `${index === 0 ? '-' : ' '} ${line}`),
      ),
    ),
  ].join('\n');
}

function incidentRows({ target, incidents }: TargetComparison): string[][] {
  return incidents
    .filter((pair) => differenceOf(pair) !== 'none')
    .map((pair) => {
      const { recorded, replayed } = pair;
      const difference =
        recorded && replayed ? shiftsOf({ recorded, replayed }) : recorded ? 'none with the files' : 'new';
      return [plain(target), 'incident', spanText(recorded), spanText(replayed), difference];
    });
}

function spanText(span: Span | null): string {
  if (!span) return '-';
  const { opened, closed } = span;
  if (opened === null) return closed === null ? 'all the time' : `until ${timeText(closed)}`;
  return `${timeText(opened)}, ${closed === null ? 'open' : formatDuration(closed - opened)}`;
}

function actionRows({ target, actions }: TargetComparison): string[][] {
  return actions
    .filter(({ recorded, replayed }) => !recorded || !replayed)
    .map((pair) => {
      const { recorded, replayed } = pair;
      const cells = [recorded ? timeText(recorded.at) : '-', replayed ? timeText(replayed.at) : '-'];
      return [plain(target), plain((replayed ?? recorded)!.step), ...cells, actionText(pair)];
    });
}

function actionText({ replayed }: ActionPair): string {
  if (!replayed) return 'would not begin';
  const after = replayed.outcome === 'self_healed' ? ' (it answered again)' : '';
  return `would begin: ${plain(replayed.what)}${after}`;
}

function summaryLines(comparison: Comparison): string[] {
  const { from, until, targets } = comparison;
  const sum = summaryOf(comparison);
  const parts: [count: number, what: string][] = [
    [sum.same, 'the same'],
    [sum.moved, 'at another time'],
    [sum.only_recorded, 'gone'],
    [sum.only_replayed, 'new'],
  ];
  const split = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [
    `${targets.length} ${targets.length === 1 ? 'target' : 'targets'} from ${timeText(from)} to ${timeText(until)}`,
    `incidents: ${sum.recorded_incidents} recorded, ${sum.replayed_incidents} with the files${split.length > 0 ? `: ${split.join(', ')}` : ''}`,
    `actions: ${sum.recorded_actions} recorded, ${sum.replayed_actions} with the files`,
  ];
}

function timeText(ms: number): string {
  return localTime(new Date(ms).toISOString());
}
