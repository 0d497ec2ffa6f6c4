import type { PauseAnswer, ResumeAnswer } from '../api/pauses.ts';
import { plain } from '../core/plain.ts';
import { formatDuration, parseDuration } from '../core/units.ts';
import { UsageError, parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import type { Command } from './main.ts';
import { SCOPE_HELP, SCOPE_OPTIONS, nameOf, scopeOf, whoAsks } from './scope.ts';
import { localTime } from './windows.ts';

const PATH = '/api/v1/pauses';

export const pause: Command = {
  synopsis: 'NAME|--group NAME|--all --for TIME --reason TEXT [--until-healthy] [--drain] [FILE...]',
  summary: 'For a while nobody is told, and nothing is done; probes go on.',
  options: [
    ...SCOPE_HELP,
    '--for TIME       how long at most: 30m, 2h; it ends by itself',
    '--reason TEXT    why, for those who look',
    '--until-healthy  each target only until it has failed and is verified up again',
    '--drain          out of what is published, too: no new traffic',
    ...API_HELP,
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      ...SCOPE_OPTIONS,
      ...API_OPTION,
      drain: { type: 'boolean' },
      for: { type: 'string' },
      reason: { type: 'string' },
      'until-healthy': { type: 'boolean' },
    });
    const { scope, files } = scopeOf(values, positionals);
    if (values.for === undefined) throw new UsageError('--for TIME: say how long at most, such as 30m');
    if (!parseDuration(values.for))
      throw new UsageError(`--for takes a duration such as 30m, not "${values.for}"`);
    if (!values.reason?.trim()) throw new UsageError('--reason TEXT: say why, for those who look');
    const answer = (await (
      await clientFor(values.api, files)
    ).ask('POST', PATH, {
      ...scope,
      for: values.for,
      reason: values.reason,
      by: whoAsks(),
      until_healthy: values['until-healthy'] ?? false,
      drain: values.drain ?? false,
    })) as PauseAnswer;
    process.stdout.write(`${pausedLine(answer)}\n`);
    warnUnlessKept(answer);
    return 0;
  },
};

export const resume: Command = {
  synopsis: 'NAME|--group NAME|--all [FILE...]',
  summary: 'Ends a pause, or takes a target out of a wider one.',
  options: [...SCOPE_HELP, ...API_HELP],

  async run(args) {
    const { values, positionals } = parse(args, { ...SCOPE_OPTIONS, ...API_OPTION });
    const { scope, files } = scopeOf(values, positionals);
    const query = new URLSearchParams({
      ...('all' in scope ? { all: 'true' } : scope),
      by: whoAsks(),
    });
    const answer = (await (
      await clientFor(values.api, files)
    ).ask('DELETE', `${PATH}?${query.toString()}`)) as ResumeAnswer;
    const { ended, left } = answer;
    const name = nameOf(scope);
    const lines = [
      ...ended.map((pause) => `the pause of ${plain(nameOf(pause))} has ended: ${plain(pause.reason)}`),
      ...left.map(
        (pause) =>
          `${name} is out of the pause of ${plain(nameOf(pause))}, which goes on: ${plain(pause.reason)}`,
      ),
    ];
    process.stdout.write(`${lines.join('\n') || `${name} is not paused`}\n`);
    warnUnlessKept(answer);
    return 0;
  },
};

/** `group web (3 targets) is paused until 2026-11-25 20:34:10 (30m): deploy` */
function pausedLine(pause: PauseAnswer): string {
  const { targets, left_ms, until, until_healthy, drain, reason } = pause;
  const count =
    pause.target === undefined ? ` (${targets.length} target${targets.length === 1 ? '' : 's'})` : '';
  const sooner = until_healthy ? '\nWhat has failed and is verified up again is released before that.' : '';
  const end = `${localTime(until)} (${formatDuration(left_ms)})`;
  const out = drain ? ' and out of traffic' : '';
  return `${plain(nameOf(pause))}${count} is paused${out} until ${end}: ${plain(reason)}${sooner}`;
}

function warnUnlessKept({ kept }: { readonly kept: boolean }): void {
  if (!kept)
    process.stderr.write('vitald: a restart of the agent will undo this: it cannot write its state now\n');
}
