import type { AcknowledgedAnswer, SwitchAnswer } from '../api/recovery.ts';
import { plain } from '../core/plain.ts';
import { UsageError, parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import type { Command } from './main.ts';
import { whoAsks } from './scope.ts';

const PATH = '/api/v1/recovery';

export const recovery: Command = {
  synopsis: 'on | off --reason TEXT | status [FILE...]',
  summary: 'Switches recovery off for all targets, and on again.',
  options: ['--reason TEXT  why, for those who look', ...API_HELP],

  async run(args) {
    const { values, positionals } = parse(args, { ...API_OPTION, reason: { type: 'string' } });
    const [what, ...files] = positionals;
    if (what !== 'on' && what !== 'off' && what !== 'status') {
      throw new UsageError('say on, off or status');
    }
    if (what === 'off' && !values.reason?.trim()) {
      throw new UsageError('--reason TEXT: say why, for those who look');
    }
    const client = await clientFor(values.api, files);
    const wish = { off: what === 'off', reason: values.reason, by: whoAsks() };
    const answer = (await (what === 'status'
      ? client.ask('GET', PATH)
      : client.ask('POST', PATH, wish))) as SwitchAnswer;
    const { off } = answer;
    process.stdout.write(
      off === null
        ? 'recovery is on\n'
        : `recovery is off for all targets: ${plain(off)}${what === 'on' ? '; that is not for this command to end' : ''}\n`,
    );
    warnUnlessKept(answer);
    return what === 'on' && off !== null ? 1 : 0;
  },
};

export const ack: Command = {
  synopsis: 'NAME [FILE...]',
  summary: 'Arms the ladder of a target again, once somebody has looked at it.',
  options: API_HELP,

  async run(args) {
    const { values, positionals } = parse(args, API_OPTION);
    const [name, ...files] = positionals;
    if (name === undefined) throw new UsageError('name a target');
    const path = `/api/v1/targets/${encodeURIComponent(name)}/acknowledgement`;
    const answer = (await (
      await clientFor(values.api, files)
    ).ask('POST', path, {
      by: whoAsks(),
    })) as AcknowledgedAnswer;
    process.stdout.write(`recovery of ${plain(answer.target)} begins at the foot of its ladder again\n`);
    warnUnlessKept(answer);
    return 0;
  },
};

function warnUnlessKept({ kept }: { readonly kept: boolean }): void {
  if (!kept)
    process.stderr.write('vitald: a restart of the agent will undo this: it cannot write its state now\n');
}
