import type { GroupStatus, GroupsAnswer } from '../api/groups.ts';
import { plain } from '../core/plain.ts';
import { formatDuration } from '../core/units.ts';
import { type Paint, STATE_COLOUR, table } from './style.ts';

/** How the groups stand; empty where there are none. */
export function groupTable({ groups, at }: GroupsAnswer, columns: number, paint: Paint): string {
  if (groups.length === 0) return '';
  const rows = groups.map((group) => [
    plain(group.group),
    group.paused ? `${group.state}, paused` : group.state,
    formatDuration(Math.max(0, Date.parse(at) - Date.parse(group.since))),
    standing(group),
  ]);
  return table(['GROUP', 'STATE', 'SINCE', 'AVAILABLE'], rows, columns, (text, row, column) => {
    if (row === -1) return paint('gray', text);
    if (column === 1) return paint(STATE_COLOUR[groups[row]!.state], text);
    return column === 0 ? paint('bold', text) : column === 3 ? text : paint('gray', text);
  });
}

/** `1 of 3, 2 needed; not web-1, web-3` */
function standing({ available, targets, at_least, unavailable, unknown }: GroupStatus): string {
  const needed = at_least === targets ? 'all' : String(at_least);
  const missing = unavailable.length > 0 ? `; not ${unavailable.map(plain).join(', ')}` : '';
  const open = unknown > 0 ? `; ${unknown} unknown` : '';
  return `${available} of ${targets}, ${needed} needed${missing}${open}`;
}
