import { constants } from 'node:fs';
import { z } from 'zod';
import type { Command } from '../process/command.ts';
import { accessProblem, baseDir, resolvePath } from './file.ts';
import { expected, text, textMap } from './scalars.ts';

/** A command as declared: paths are absolute, `env` is what comes on top of the minimal environment. */
export interface CommandSettings {
  readonly argv: Command['argv'];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The program and its arguments; no shell sees them. A program with a slash in it is relative to the YAML file. */
export function argv(): z.ZodType<[string, ...string[]]> {
  const word = text().refine((part) => !part.includes('\0'), 'an argument cannot contain a NUL');
  return z
    .array(word, { error: expected('a list: the program and its arguments') })
    .min(1, 'the list is empty: the program and its arguments')
    .transform((words, context): [string, ...string[]] => {
      const [program = '', ...rest] = words;
      if (!program.includes('/')) {
        if (program !== '') return [program, ...rest];
        context.addIssue({ code: 'custom', message: 'the program has no name', path: [0] });
        return z.NEVER;
      }
      const path = resolvePath(program);
      const problem = accessProblem(path, constants.X_OK);
      if (problem === undefined) return [path, ...rest];
      context.addIssue({ code: 'custom', message: problem, path: [0] });
      return z.NEVER;
    });
}

/** A line for `/bin/sh -c`. */
export function shellLine(): z.ZodType<[string, ...string[]]> {
  return z
    .string()
    .min(1, 'the shell line is empty')
    .transform((line): [string, ...string[]] => ['/bin/sh', '-c', line]);
}

/** The keys beside the command itself. */
export const surroundings = {
  env: textMap().default({}),
  cwd: z
    .string()
    .optional()
    .transform((dir) => (dir === undefined ? baseDir() : resolvePath(dir))),
};
