import { constants, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Command } from '../process/command.ts';
import { accessProblem, baseDir, directoryProblem, resolvePath } from './file.ts';
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
    })
    .meta({ as: 'list of texts' });
}

/** A line for `/bin/sh -c`. */
export function shellLine(): z.ZodType<[string, ...string[]]> {
  return z
    .string()
    .min(1, 'the shell line is empty')
    .refine((line) => !line.includes('\0'), 'a shell line cannot contain a NUL')
    .transform((line): [string, ...string[]] => ['/bin/sh', '-c', line]);
}

function environment(): z.ZodType<Record<string, string>> {
  return textMap().superRefine((env, context) => {
    for (const [name, value] of Object.entries(env)) {
      const problem =
        name === '' || name.includes('=') || name.includes('\0')
          ? 'the name of a variable must not be empty, and has no "=" in it'
          : value.includes('\0')
            ? 'a variable cannot contain a NUL'
            : undefined;
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, path: [name] });
    }
  });
}

function workingDirectory(): z.ZodType<string, string | undefined> {
  return z
    .string()
    .optional()
    .transform((written, context) => {
      if (written === undefined) return baseDir();
      const path = resolvePath(written);
      const problem = directoryProblem(path);
      if (problem === undefined) return path;
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    })
    .meta({ as: 'path', otherwise: 'the directory of the YAML file' });
}

/** The keys beside the command itself. */
export const surroundings = {
  env: environment().default({}).describe('variables on top of the small environment'),
  cwd: workingDirectory().describe('where it runs'),
};

/** As whom a command runs: ids, and what belongs into its environment. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Of somebody else: what is in ours may be for us alone. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A name in /etc/passwd, or `uid:gid`. */
export function account(): z.ZodType<Account> {
  return text()
    .transform((written, context): Account => {
      const ids = /^(\d+):(\d+)$/.exec(written);
      if (ids) return { uid: Number(ids[1]), gid: Number(ids[2]), env: { HOME: '/', PATH } };
      for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
        const [name, , uid, gid, , home = '/'] = line.split(':');
        if (name === written && uid !== undefined && gid !== undefined) {
          return {
            uid: Number(uid),
            gid: Number(gid),
            env: { HOME: home, USER: name, LOGNAME: name, PATH },
          };
        }
      }
      const message = `/etc/passwd knows no user "${written}"; write uid:gid for one that is from elsewhere`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ as: 'user' });
}

/** Why a command could not be started: an ENOENT alone names the program, whatever it was that is missing. */
export function startProblem(
  { argv, cwd, user }: Pick<Command, 'argv' | 'cwd' | 'user'>,
  error: Error,
): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPERM' && user) return `only root may run it as uid ${user.uid} (EPERM)`;
  const [program] = argv;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EACCES': {
      const problem = directoryProblem(cwd);
      if (problem !== undefined) return problem;
      if (!program.includes('/')) return `there is no such program in PATH (${code})`;
      const missing =
        code === 'EACCES' ? 'it may not be executed' : 'the interpreter in its first line is missing';
      return `${accessProblem(program, constants.X_OK) ?? missing} (${code})`;
    }
    default:
      return error.message;
  }
}
