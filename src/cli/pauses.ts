import type { PauseStatus, PausesAnswer, WindowStatus } from '../api/pauses.ts';
import { plain } from '../core/plain.ts';
import { formatDuration } from '../core/units.ts';
import { parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import type { Command } from './main.ts';
import { nameOf } from './scope.ts';
import { type Paint, paintFor, table } from './style.ts';
import { localTime } from './windows.ts';

export const pauses: Command = {
  synopsis: '[FILE...] [--api WHERE] [--json]',
  summary: 'What is paused, by whom and why, and when the next maintenance is.',
  options: [...API_HELP, '--json        what the agent answered'],

  async run(args) {
    const { values, positionals } = parse(args, { ...API_OPTION, json: { type: 'boolean' } });
    const client = await clientFor(values.api, positionals);
    const answer = (await client.ask('GET', '/api/v1/pauses')) as PausesAnswer;
    const { stdout } = process;
    const text = client.read(() => (values.json ? JSON.stringify(answer) : report(answer, paintFor(stdout))));
    stdout.write(`${text}\n`);
    return 0;
  },
};

function report({ at, pauses, maintenance }: PausesAnswer, paint: Paint): string {
  const rows = [
    ...pauses.map(pauseRow),
    ...maintenance.filter(({ open }) => open).map((window) => windowRow(window, Date.parse(at))),
  ];
  const next = maintenance.filter(({ open }) => !open).map((window) => nextLine(window, Date.parse(at)));
  const body =
    rows.length === 0
      ? 'nothing is paused'
      : table(
          ['PAUSED', 'LEFT', 'UNTIL', 'BY', 'WHY'],
          rows,
          process.stdout.columns ?? Infinity,
          (text, row, column) =>
            row === -1 ? paint('gray', text) : column === 0 ? paint('bold', text) : text,
        );
  return [body, ...(next.length > 0 ? ['', ...next] : [])].join('\n');
}

function pauseRow(pause: PauseStatus): string[] {
  const { targets, released, left_ms, until, until_healthy, drain, by, reason } = pause;
  const progress = released.length > 0 ? `, ${released.length} of ${targets.length} released` : '';
  return [
    plain(nameOf(pause)),
    formatDuration(left_ms),
    localTime(until),
    plain(by),
    `${plain(reason)}${drain ? ' (drained)' : ''}${until_healthy ? ' (until healthy)' : ''}${progress}`,
  ];
}

function windowRow({ targets, until, reason }: WindowStatus, now: number): string[] {
  const left = formatDuration(Math.max(0, Date.parse(until) - now));
  return [countOf(targets), left, localTime(until), 'maintenance', plain(reason)];
}

/** `next maintenance, in 3d6h: 3 targets from 2026-11-29 03:00:00 to 2026-11-29 05:00:00, weekly patches` */
function nextLine({ targets, from, until, reason }: WindowStatus, now: number): string {
  const distance = formatDuration(Math.max(0, Date.parse(from) - now));
  return `next maintenance, in ${distance}: ${countOf(targets)} from ${localTime(from)} to ${localTime(until)}, ${plain(reason)}`;
}

function countOf(targets: readonly string[]): string {
  return targets.length === 1 ? plain(targets[0]!) : `${targets.length} targets`;
}
