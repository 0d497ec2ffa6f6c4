import type { AgentStatus, TargetStatus } from '../api/status.ts';
import type { GroupsAnswer } from '../api/groups.ts';
import { plain } from '../core/plain.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import { parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import { groupTable } from './group-table.ts';
import type { Command } from './main.ts';
import { type Paint, STATE_COLOUR, paintFor, table } from './style.ts';

export const status: Command = {
  synopsis: '[FILE...] [--api WHERE] [--json]',
  summary: 'Asks the running agent what it believes of its targets.',
  options: [...API_HELP, '--json        what the agent answered'],

  async run(args) {
    const { values, positionals } = parse(args, { ...API_OPTION, json: { type: 'boolean' } });
    const client = await clientFor(values.api, positionals);
    const answer = (await client.ask('GET', '/api/v1/targets')) as AgentStatus;
    const groups = (await client.ask('GET', '/api/v1/groups')) as GroupsAnswer;
    const { stdout } = process;
    const { text, code } = client.read(() => ({
      text: values.json
        ? JSON.stringify({ ...answer, groups: groups.groups })
        : report(answer, groups, paintFor(stdout)),
      code: answer.targets.some(({ state }) => state === 'down') ? 1 : 0,
    }));
    stdout.write(`${text}\n`);
    return code;
  },
};

function report(answer: AgentStatus, groups: GroupsAnswer, paint: Paint): string {
  const { targets, at } = answer;
  const now = Date.parse(at);
  const rows = targets.map(({ target, state, flags, since, last }) => [
    plain(target),
    [state, ...flags].join(', '),
    ago(since, now),
    last ? ago(last.at, now) : '-',
    last ? `${last.reason === null ? '' : `${last.reason}: `}${plain(last.message)}` : 'not asked yet',
  ]);
  const width = process.stdout.columns ?? Infinity;
  const body = table(['TARGET', 'STATE', 'SINCE', 'ASKED', 'SAID'], rows, width, (text, row, column) => {
    if (row === -1) return paint('gray', text);
    if (column === 1) return paint(STATE_COLOUR[targets[row]!.state], text);
    return column === 0 ? paint('bold', text) : column === 4 ? text : paint('gray', text);
  });
  const parts = [body, groupTable(groups, width, paint), summary(answer, paint)];
  return parts.filter((part) => part !== '').join('\n\n');
}

const WORST_FIRST = [
  'down',
  'recovering',
  'suspect',
  'unknown',
  'up',
] as const satisfies TargetStatus['state'][];

function summary({ targets, doubt, store, version, started_at, at }: AgentStatus, paint: Paint): string {
  const counts = WORST_FIRST.map((state) => ({
    state,
    count: targets.filter((target) => target.state === state).length,
  })).filter(({ count }) => count > 0);
  const said = counts.map(({ state, count }) => paint(STATE_COLOUR[state], `${count} ${state}`)).join(', ');
  const age =
    started_at === null ? 'starting' : `for ${formatDuration(Date.parse(at) - Date.parse(started_at))}`;
  const own = [
    ...(doubt.doubtful
      ? [
          paint(
            'magenta',
            `The agent is in doubt of itself (score ${doubt.score}): states are the last ones known.`,
          ),
        ]
      : []),
    ...(store.ok
      ? store.trouble === null
        ? []
        : [paint('yellow', plain(store.trouble))]
      : [
          paint(
            'red',
            `Nothing is kept for ${ago(store.since, Date.parse(at))}: ${plain(store.trouble ?? '')}`,
          ),
        ]),
  ];
  const all = `${formatCount(targets.length, 'target')}: ${said || 'none'}`;
  return [`${all}; vitald ${version} runs ${age}`, ...own].join('\n');
}

/** `3.2s`, as long as it is no more than that; the clocks of two hosts may differ. */
function ago(iso: string, now: number): string {
  return formatDuration(Math.max(0, now - Date.parse(iso)));
}
