import { existsSync } from 'node:fs';
import { z } from 'zod';
import { filePath } from '../../src/schema/file.ts';
import { pattern } from '../../src/schema/pattern.ts';
import { integer, text, withShortForm } from '../../src/schema/scalars.ts';

const keys = z
  .strictObject({
    pid_file: filePath().optional().describe('the file that holds its process id'),
    name: text()
      .refine((name) => name !== '' && !/[/\0]/.test(name), 'a name of a process has no slash')
      .optional()
      .describe("the program's name; beside `pid_file` what the process there must be"),
    pattern: pattern().optional().describe('must match the command line, arguments and all'),
    user: text().optional().describe('only processes of this user: a name of /etc/passwd, or a number'),
    min: integer(0).optional().describe('how many there must be at least; 1 unless `max` is 0'),
    max: integer(0).optional().describe('how many there may be at most'),
  })
  .superRefine(({ pid_file, name, pattern, min, max }, context) => {
    const refuse = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', message, path });
    const ways = [pid_file ?? name, pattern].filter((way) => way !== undefined);
    if (ways.length === 0) refuse('process needs a pid_file, a name or a pattern');
    if (ways.length === 2) refuse('pattern stands alone', 'pattern');
    if (pid_file !== undefined) {
      if (min !== undefined) refuse('a pid_file names one process', 'min');
      if (max !== undefined) refuse('a pid_file names one process', 'max');
    }
    if (min !== undefined && max !== undefined && min > max) refuse(`min ${min} is above max ${max}`, 'min');
    if (!existsSync('/proc/self/stat')) refuse('process reads /proc, which is not here: it is for Linux');
  });

export type ProcessSettings = z.infer<typeof keys>;

/** Short form: the name. */
export const settings = withShortForm<ProcessSettings>(['scalar'], (name) => ({ name }), keys);
