import { stringify } from 'yaml';
import type { Config } from '../config/load.ts';
import { ConfigError, position } from '../config/problem.ts';
import { plain } from '../core/plain.ts';
import { formatCount } from '../core/units.ts';
import { masked } from '../config/secrecy.ts';
import { parse, someFiles } from './args.ts';
import { load } from './load.ts';
import type { Command } from './main.ts';
import { windowLine } from './windows.ts';

export const check: Command = {
  synopsis: 'FILE... [--resolved] [--json]',
  summary: 'Reads the files and tells every mistake with its place.',
  options: [
    '--resolved   print the targets and hooks as they are understood, secrets masked',
    '--json       print JSON',
  ],

  async run(args) {
    const { values, positionals } = parse(args, { resolved: { type: 'boolean' }, json: { type: 'boolean' } });
    const files = someFiles(positionals);
    try {
      const config = load(files);
      process.stdout.write(`${describe(config, files, values)}\n`);
      return 0;
    } catch (error) {
      if (!values.json || !(error instanceof ConfigError)) throw error;
      const problems = error.problems.map(({ place: { file, line, column }, message }) => ({
        file,
        line,
        column,
        message,
      }));
      process.stdout.write(`${JSON.stringify({ ok: false, problems })}\n`);
      return 2;
    }
  },
};

function describe(
  config: Config,
  files: readonly string[],
  { resolved = false, json = false }: { resolved?: boolean | undefined; json?: boolean | undefined },
): string {
  const merged = resolved ? masked(config.merged, config.redact) : undefined;
  if (json) {
    const counts = { targets: config.targets.length, hooks: config.hooks.size };
    return JSON.stringify(merged ?? { ok: true, ...counts });
  }
  if (merged) return stringify(merged, { lineWidth: 0 }).trimEnd();
  const now = Date.now();
  return [
    `${files.join(', ')}: fine. ${formatCount(config.targets.length, 'target')}, ${formatCount(config.hooks.size, 'hook')}.`,
    ...config.warnings.map(({ place, message }) => `${position(place)}: warning: ${plain(message)}`),
    ...config.maintenance.map((entry) => windowLine(entry, now)),
  ].join('\n');
}
