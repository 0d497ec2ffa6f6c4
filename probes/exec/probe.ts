import { z } from 'zod';
import { type Outcome, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import type { Trace } from '../../src/core/trace.ts';
import { type Command, type Exit, minimalEnvironment, run } from '../../src/process/command.ts';
import { argv, shellLine, startProblem, surroundings } from '../../src/schema/command.ts';
import { type Pattern, pattern } from '../../src/schema/pattern.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { report } from './report.ts';

/** How much of what a program wrote a person is shown. */
const TRACED_LINES = 20;
const TRACED_LENGTH = 4_000;

const keys = z
  .strictObject({
    command: argv()
      .optional()
      .describe('the program and its arguments, as a list; no shell is involved. Either this or `shell`'),
    shell: shellLine().optional().describe('a line for `/bin/sh -c`, instead of a command'),
    ...surroundings,
    output: pattern().optional().describe('must match the standard output'),
    output_not: pattern().optional().describe('must not match the standard output'),
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

  async attempt(settings, context) {
    const { signal, clock, enter, trace } = context;
    const command: Command = {
      argv: (settings.command ?? settings.shell)!,
      cwd: settings.cwd,
      env: { ...minimalEnvironment(), ...ownEnvironment(context), ...settings.env },
    };
    if (trace) traceCommand(command, settings, trace);
    enter('wait');
    let exit: Exit;
    try {
      exit = await run(command, { signal, clock });
    } catch (error) {
      return voided(`${command.argv[0]} could not be started: ${startProblem(command, error as Error)}`);
    }
    if (trace) traceExit(exit, trace);
    return judgeExit(exit, settings, trace);
  },
};

/** What a program may want to know of its attempt. */
function ownEnvironment({ target, deadline, clock }: ProbeContext): Record<string, string> {
  return {
    VITALD_TARGET: target.replaceAll('\0', ''),
    VITALD_TIMEOUT_MS: String(Math.max(1, Math.floor(deadline - clock.now()))),
  };
}

function judgeExit(exit: Exit, settings: ExecSettings, trace: Trace | undefined): Outcome {
  const { message, facts } = report(exit);
  const missed = firstMiss(exit, settings, trace);
  if (exit.signal !== null)
    return fail('exit', `killed by ${exit.signal}${message && `: ${message}`}`, facts);
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

/** Holds the output against the patterns; all of them where somebody looks. */
function firstMiss(
  { code, signal, stdout }: Exit,
  { output, output_not }: ExecSettings,
  trace: Trace | undefined,
): string | undefined {
  trace?.({
    kind: 'rule',
    rule: 'exit',
    passed: code === 3 ? null : code === 0,
    value: signal ?? String(code),
    warns: code === 1,
  });
  const rules: [string, Pattern | undefined, boolean, string][] = [
    ['output', output, true, 'does not match'],
    ['output_not', output_not, false, 'matches'],
  ];
  let missed: string | undefined;
  for (const [rule, pattern, wanted, says] of rules) {
    if (!pattern || (missed !== undefined && !trace)) continue;
    const passed = pattern.matches(stdout) === wanted;
    trace?.({ kind: 'rule', rule, passed, value: shown(stdout) });
    if (!passed) missed ??= `the output ${says} /${pattern.source}/`;
  }
  return missed;
}

/** The values of `env` stay out: what is handed over that way is often a secret. */
function traceCommand({ argv, cwd }: Command, { env }: ExecSettings, trace: Trace): void {
  trace({ kind: 'sent', what: 'argv', text: argv.map(quoted).join(' ') });
  const names = Object.keys(env);
  trace({ kind: 'note', text: `in ${cwd}${names.length > 0 ? `, with ${names.join(', ')} set` : ''}` });
}

function traceExit({ code, signal, stdout, stderr }: Exit, trace: Trace): void {
  trace({
    kind: 'received',
    what: 'exit',
    text: signal === null ? `exit ${code}` : `killed by ${signal}`,
  });
  if (stdout !== '') trace({ kind: 'received', what: 'stdout', text: shown(stdout) });
  if (stderr !== '') trace({ kind: 'received', what: 'stderr', text: shown(stderr) });
}

function shown(output: string): string {
  const text = output.trimEnd();
  const lines = text.split('\n');
  const head = lines.slice(0, TRACED_LINES).join('\n').slice(0, TRACED_LENGTH);
  return head.length < text.length ? `${head}\n...` : head;
}

/** As one would type it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
