import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { type CommandSettings, shellLine, surroundings } from '../schema/command.ts';
import { withShortForm } from '../schema/scalars.ts';
import { exec, fireCommand } from './exec.ts';

const keys = z
  .strictObject({ command: shellLine().describe('what to run'), ...surroundings })
  .transform(({ command, ...rest }) => ({ argv: command, ...rest }));

/** A line for `/bin/sh -c`. The event comes by environment and stdin only, never as part of the line. */
export const shell: Hook<CommandSettings> = {
  kind: 'shell',
  settings: withShortForm(['scalar'], (command) => ({ command }), keys),
  defaults: exec.defaults,
  fire: fireCommand,
};
