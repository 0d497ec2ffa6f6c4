import type { ActionStatus, IncidentAnswer } from '../../api/incidents.ts';
import { plain } from '../../core/plain.ts';
import { formatDuration } from '../../core/units.ts';
import { cut, displayWidth, padded, wrapped } from '../width.ts';
import { localTime } from '../windows.ts';
import { INDENT, type Page, section } from './page.ts';

/** So many lines of what an action printed are shown. */
const TAIL_LINES = 10;

/** The story of an incident for a person: what happened when, what was done, and what that printed. */
export function incidentStory(answer: IncidentAnswer, page: Page): string {
  const { incident, timeline, actions, at } = answer;
  const { paint, columns } = page;
  const lasted = formatDuration(Math.max(0, Date.parse(incident.closed ?? at) - Date.parse(incident.opened)));
  const end =
    incident.closed === null
      ? paint('red', `open for ${lasted}`)
      : `${incident.end === 'up' ? paint('green', 'up again') : String(incident.end)} after ${lasted}`;
  const first = Math.min(...timeline.map((entry) => Date.parse(entry.at)));
  const times = timeline.map((entry) => `+${formatDuration(Date.parse(entry.at) - first)}`);
  const widths = {
    time: Math.max(0, ...times.map(displayWidth)),
    what: Math.max(0, ...timeline.map(({ what }) => displayWidth(what))),
  };
  const indent = INDENT.length + widths.time + widths.what + 4;
  const room = Math.max(20, Math.min(columns, 100) - indent);
  const story = timeline.flatMap(({ what, detail }, index) =>
    wrapped(plain(detail), room).map((line, row) =>
      row === 0
        ? `${INDENT}${paint('gray', padded(times[index]!, widths.time))}  ${padded(what, widths.what)}  ${line}`
        : ' '.repeat(indent) + line,
    ),
  );
  return [
    `${paint('bold', plain(incident.id))}  ${plain(incident.target)}  ${end}`,
    `${INDENT}from ${localTime(incident.opened)}${incident.closed === null ? '' : ` to ${localTime(incident.closed)}`}`,
    ...section('what happened', story.length > 0 ? story : [`${INDENT}nothing was written down`], page),
    ...actions.flatMap((action) => section(titleOf(action), actionLines(action, page), page)),
  ].join('\n');
}

function titleOf({ step, kind, try: nth, mode }: ActionStatus): string {
  return `${plain(step)} (${kind}), attempt ${nth}${mode === 'dry_run' ? ', dry run' : ''}`;
}

function actionLines({ what, result, detail, output, outcome, why }: ActionStatus, page: Page): string[] {
  const { paint, columns } = page;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(-TAIL_LINES).map((line) => cut(plain(line), Math.max(20, columns - 4)));
  return [
    ...(what === '' ? [] : [`${INDENT}${plain(what)}`]),
    `${INDENT}${result ?? (outcome === null ? 'under way' : 'not done')}${detail === '' ? '' : `: ${plain(detail)}`}`,
    `${INDENT}${outcome === null ? 'not judged yet' : `${outcome.replace('_', ' ')}: ${plain(why)}`}`,
    ...(lines.length > shown.length
      ? [paint('gray', `${INDENT}| ... ${lines.length - shown.length} lines before`)]
      : []),
    ...shown.map((line) => paint('gray', `${INDENT}| ${line}`)),
  ];
}
