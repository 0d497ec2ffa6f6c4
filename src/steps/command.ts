import type { Action, ActionContext, ActionResult } from '../core/step.ts';
import { plain } from '../core/plain.ts';
import { type Command, lastLine, minimalEnvironment, run } from '../process/command.ts';
import { type Account, account, startProblem, surroundings } from '../schema/command.ts';
import { integer } from '../schema/scalars.ts';

export interface StepCommand {
  readonly argv: Command['argv'];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user?: Account | undefined;
  readonly nice?: number | undefined;
}

/** The keys beside the command itself. */
export const containment = {
  ...surroundings,
  user: account().optional().describe('as whom it runs, a name or `uid:gid`; that takes root'),
  nice: integer(0, 19).optional().describe('how far it steps back for other processes'),
};

/** Runs a command with the action in its environment and, as JSON, on its stdin. Exit 0 is success. */
export async function actBy(
  { argv, cwd, env, user, nice }: StepCommand,
  action: Action,
  context: ActionContext,
): Promise<ActionResult> {
  const command: Command = {
    argv,
    cwd,
    env: { ...minimalEnvironment(), ...user?.env, ...environmentOf(action), ...env },
    input: `${JSON.stringify(action)}\n`,
    keepEnd: true,
    ...(user && { user: { uid: user.uid, gid: user.gid } }),
    ...(nice !== undefined && { nice }),
  };
  try {
    const exit = await run(command, context);
    const output = [exit.stdout, exit.stderr]
      .map((text) => text.trimEnd())
      .filter(Boolean)
      .join('\n');
    const how = exit.signal === null ? `exit ${exit.code}` : `killed by ${exit.signal}`;
    if (exit.code === 0) return { ok: true, detail: lastLine(exit.stdout, exit.stderr) || how, output };
    const said = lastLine(exit.stderr, exit.stdout);
    return { ok: false, detail: said ? `${how}: ${said}` : how, output };
  } catch (error) {
    return { ok: false, detail: startProblem(command, error as Error), output: '' };
  }
}

/** As a person could type it: what a shell would see as more than a word is in quotes. */
export function asLine(argv: readonly string[]): string {
  return argv
    .map((word) =>
      /^[\w@%+=:,./-]+$/.test(word) ? word : `'${plain(word).replaceAll("'", String.raw`'\''`)}'`,
    )
    .join(' ');
}

/** The action as `VITALD_*`. Empty where there is nothing to say, so that `set -u` scripts work. */
function environmentOf(action: Action): Record<string, string> {
  return {
    VITALD_EVENT: action.event,
    VITALD_EVENT_ID: action.id,
    VITALD_TARGET: action.target,
    VITALD_GROUP: action.group ?? '',
    VITALD_PURPOSE: action.purpose,
    VITALD_PROBE: action.probe,
    VITALD_STATE: action.state,
    VITALD_REASON: action.reason ?? '',
    VITALD_CLASS: action.class ?? '',
    VITALD_MESSAGE: action.message.replaceAll('\0', ''),
    VITALD_INCIDENT: action.incident,
    VITALD_STEP: action.step,
    VITALD_TRY: String(action.try),
    VITALD_ATTEMPT: String(action.attempt),
    VITALD_AT: action.at,
    VITALD_SINCE: action.since,
  };
}
