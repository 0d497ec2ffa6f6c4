import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { UsageError, parse } from './args.ts';
import type { Command } from './main.ts';
import { scriptSource, testSource } from './new-probe.ts';

export const newFiles: Command = {
  synopsis: 'probe NAME [--dir DIR]',
  summary: 'Writes a probe script to start from, and its test.',
  options: ['--dir DIR   where to; made if it is not there [the working directory]'],

  run(args) {
    const { values, positionals } = parse(args, { dir: { type: 'string' } });
    const [what, name, ...rest] = positionals;
    if (what !== 'probe')
      throw new UsageError(what === undefined ? 'new what?' : `there is no new "${what}"`);
    if (name === undefined || rest.length > 0) throw new UsageError('the probe needs a name, and one only');
    if (!/^[A-Za-z0-9][\w-]*$/.test(name)) {
      throw new UsageError(
        `"${name}" is no name: letters, digits, - and _, without a folder or an extension`,
      );
    }
    const dir = values.dir ?? '.';
    const files = { [`${name}.mjs`]: scriptSource(name), [`${name}.test.mjs`]: testSource(name) };
    for (const file of Object.keys(files)) {
      if (existsSync(join(dir, file))) throw new UsageError(`${join(dir, file)} is there already`);
    }
    try {
      mkdirSync(dir, { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text, { flag: 'wx' });
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
    process.stdout.write(`${whatNext(name, dir)}\n`);
    return Promise.resolve(0);
  },
};

function whatNext(name: string, dir: string): string {
  const inside = relative('.', resolve(dir));
  const at = (file: string): string => word(join(inside, file));
  return [
    `Written: ${join(inside, `${name}.mjs`)} and ${join(inside, `${name}.test.mjs`)}`,
    '',
    'Test it:',
    `  node --test ${at(`${name}.test.mjs`)}`,
    'Try it:',
    `  vitald probe --script ${at(`${name}.mjs`)}`,
    'Use it, in a YAML file (the path is relative to that file):',
    `  - name: ${name}`,
    '    script:',
    `      file: ${JSON.stringify(inside.startsWith('/') ? join(inside, `${name}.mjs`) : `./${join(inside, `${name}.mjs`)}`)}`,
    '      with: { url: "http://127.0.0.1:8080/healthz", slow_ms: 500 }',
  ].join('\n');
}

/** As a shell takes it. */
function word(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
