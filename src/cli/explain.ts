import type { ExplanationAnswer } from '../api/explanation.ts';
import { UsageError, parse } from './args.ts';
import { API_HELP, API_OPTION, clientFor } from './client.ts';
import type { Command } from './main.ts';
import { explanation } from './picture/explanation.ts';
import { paintFor } from './style.ts';

export const explain: Command = {
  synopsis: 'NAME [FILE...] [--api WHERE] [--json]',
  summary: 'Why a target is what it is, and what would change it.',
  options: [...API_HELP, '--json        what the agent answered'],

  async run(args) {
    const { values, positionals } = parse(args, { ...API_OPTION, json: { type: 'boolean' } });
    const [name, ...files] = positionals;
    if (name === undefined) throw new UsageError('name a target');
    const path = `/api/v1/targets/${encodeURIComponent(name)}/explanation`;
    const client = await clientFor(values.api, files);
    const answer = (await client.ask('GET', path)) as ExplanationAnswer;
    const { stdout } = process;
    const page = { paint: paintFor(stdout), columns: stdout.columns ?? 80 };
    const text = client.read(() => (values.json ? JSON.stringify(answer) : explanation(answer, page)));
    stdout.write(`${text}\n`);
    return 0;
  },
};
