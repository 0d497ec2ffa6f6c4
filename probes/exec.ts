import { z } from 'zod';
import { type Facts, type Outcome, fail, ok, voided, warn } from '../src/core/outcome.ts';
import type { Probe } from '../src/core/probe.ts';
import { type Exit, firstLine, minimalEnvironment, run } from '../src/process/command.ts';
import { argv, shellLine, surroundings } from '../src/schema/command.ts';
import { pattern } from '../src/schema/pattern.ts';
import { withShortForm } from '../src/schema/scalars.ts';

const LONGEST_MESSAGE = 500;

const keys = z
  .strictObject({
    command: argv().optional(),
    shell: shellLine().optional(),
    ...surroundings,
    output: pattern().optional(),
    output_not: pattern().optional(),
  })
  .refine(({ command, shell }) => (command === undefined) !== (shell === undefined), {
    error: 'exec takes either a command (a list) or shell (a text)',
  });

type ExecSettings = z.infer<typeof keys>;

/**
 * The user's own program. Exit codes and performance data as in the Monitoring Plugins Development Guidelines:
 * 0 ok, 1 warn, 2 fail, 3 void; other codes and deaths by a signal are failures, too.
 */
export const exec: Probe<ExecSettings> = {
  kind: 'exec',
  settings: withShortForm(['list'], (command) => ({ command }), keys),

  async attempt(settings, { signal, clock, enter }) {
    const env = { ...minimalEnvironment(), ...settings.env };
    const words = (settings.command ?? settings.shell)!;
    enter('wait');
    let exit: Exit;
    try {
      exit = await run({ argv: words, cwd: settings.cwd, env }, { signal, clock });
    } catch (error) {
      return voided(`${words[0]} could not be started: ${(error as Error).message}`);
    }
    return judgeExit(exit, settings);
  },
};

function judgeExit(exit: Exit, { output, output_not }: ExecSettings): Outcome {
  const { message, facts } = report(exit);
  if (exit.signal !== null)
    return fail('exit', `killed by ${exit.signal}${message && `: ${message}`}`, facts);
  const missed =
    output && !output.matches(exit.stdout)
      ? `the output does not match /${output.source}/`
      : output_not?.matches(exit.stdout)
        ? `the output matches /${output_not.source}/`
        : undefined;
  switch (exit.code) {
    case 0:
    case 1:
      if (missed !== undefined) return fail('mismatch', missed, facts);
      return exit.code === 0 ? ok(message || 'exit 0', facts) : warn(message || 'exit 1', facts);
    case 3:
      return { ...voided(message || 'exit 3'), ...(facts && { facts }) };
    default:
      return fail('exit', message || `exit ${exit.code}`, facts);
  }
}

/** What a run said: a JSON object as the whole output, else its first line with performance data after a bar. */
function report(exit: Exit): { message: string; facts: Facts | undefined } {
  const { message, facts } = jsonReport(exit.stdout) ?? lineReport(firstLine(exit, Infinity));
  return { message: message.slice(0, LONGEST_MESSAGE), facts };
}

function lineReport(line: string): { message: string; facts: Facts | undefined } {
  const bar = line.indexOf('|');
  if (bar === -1) return { message: line, facts: undefined };
  return { message: line.slice(0, bar).trim(), facts: perfdata(line.slice(bar + 1)) };
}

const jsonOutput = z.looseObject({
  message: z.string().default(''),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

function jsonReport(stdout: string): { message: string; facts: Facts | undefined } | undefined {
  if (!stdout.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = jsonOutput.safeParse(JSON.parse(stdout));
    return parsed.success ? { message: parsed.data.message, facts: parsed.data.facts } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `'label with spaces'=42MB;warn;crit;min;max` -> 42; the unit and the limits stay behind. What is not such an entry is
 * skipped word by word: to search for the next one from every character would take quadratic time.
 */
const PERFDATA = /\s*(?:(?:'((?:[^']|'')+)'|([^\s'=]+))=(-?\d+(?:\.\d+)?)\S*|\S+)/gy;

function perfdata(text: string): Facts | undefined {
  const facts: Record<string, number> = {};
  for (const [, quoted, plain, value] of text.matchAll(PERFDATA)) {
    if (value !== undefined) facts[(quoted ?? plain)!.replaceAll("''", "'")] = Number(value);
  }
  return Object.keys(facts).length > 0 ? facts : undefined;
}
