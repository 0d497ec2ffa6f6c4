import { probes } from '../../probes/index.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { hooks } from '../hooks/index.ts';
import { steps } from '../steps/index.ts';
import { UsageError, parse } from './args.ts';
import type { Command } from './main.ts';

export const schema: Command = {
  synopsis: '',
  summary: 'Prints the JSON Schema of the YAML files, for editors.',
  options: [],

  async run(args) {
    if (parse(args, {}).positionals.length > 0) throw new UsageError('schema takes no arguments');
    process.stdout.write(`${JSON.stringify(jsonSchema(probes, hooks, steps), null, 2)}\n`);
    return 0;
  },
};
