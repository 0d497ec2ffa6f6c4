import { z } from 'zod';
import type { Hook, HookContext, HookEvent, HookResult } from '../core/hook.ts';
import { firstLine, minimalEnvironment, run } from '../process/command.ts';
import { type CommandSettings, argv, surroundings } from '../schema/command.ts';
import { withShortForm } from '../schema/scalars.ts';

const keys = z
  .strictObject({ command: argv().describe('what to run'), ...surroundings })
  .transform(({ command, ...rest }) => ({ argv: command, ...rest }));

/** A program with its arguments; no shell is involved. Exit 0 is success. */
export const exec: Hook<CommandSettings> = {
  kind: 'exec',
  settings: withShortForm(['list'], (command) => ({ command }), keys),
  // An action that failed may have half happened: it is not repeated unless the user says so.
  defaults: { timeoutMs: 30_000, retries: 0, groupingMs: 0 },
  fire: fireCommand,
};

/** Runs a command with the event in its environment and, as JSON, on its stdin. */
export async function fireCommand(
  { argv: words, cwd, env }: CommandSettings,
  event: HookEvent,
  context: HookContext,
): Promise<HookResult> {
  const exit = await run(
    {
      argv: words,
      cwd,
      env: { ...minimalEnvironment(), ...eventEnvironment(event), ...env },
      input: `${JSON.stringify(event)}\n`,
    },
    context,
  );
  const said = firstLine(exit);
  if (exit.code === 0) return { ok: true, detail: said || 'exit 0', retry: false };
  const how = exit.signal === null ? `exit ${exit.code}` : `killed by ${exit.signal}`;
  return { ok: false, detail: said ? `${how}: ${said}` : how, retry: true };
}

/** The event as `VITALD_*`. Empty where there is nothing to say, so that `set -u` scripts work. */
function eventEnvironment(event: HookEvent): Record<string, string> {
  return {
    VITALD_EVENT: event.event,
    VITALD_EVENT_ID: event.id,
    VITALD_KIND: event.kind,
    VITALD_TARGET: event.target,
    VITALD_GROUP: event.group ?? '',
    VITALD_PURPOSE: event.purpose ?? '',
    VITALD_PROBE: event.probe,
    VITALD_STATE: event.state,
    VITALD_FROM: event.from,
    VITALD_REASON: event.reason ?? '',
    VITALD_CLASS: event.class ?? '',
    VITALD_MESSAGE: event.message.replaceAll('\0', ''),
    VITALD_INCIDENT: event.incident ?? '',
    VITALD_CORRELATED: event.correlated ?? '',
    VITALD_RELAPSES: String(event.relapses),
    VITALD_ATTEMPT: String(event.attempt),
    VITALD_AT: event.at,
    VITALD_SINCE: event.since,
  };
}
