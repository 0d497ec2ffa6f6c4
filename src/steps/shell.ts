import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { shellLine } from '../schema/command.ts';
import { withShortForm } from '../schema/scalars.ts';
import { type StepCommand, actBy, asLine, containment } from './command.ts';

const keys = z
  .strictObject({ command: shellLine().describe('what to run'), ...containment })
  .transform(({ command, ...rest }) => ({ argv: command, ...rest }));

/** A line for `/bin/sh -c`. The action comes by environment and stdin only, never as part of the line. */
export const shell: StepKind<StepCommand> = {
  kind: 'shell',
  settings: withShortForm(['scalar'], (command) => ({ command }), keys),
  timeoutMs: 60_000,
  asks: false,
  preview: ({ argv }) => asLine(argv),
  act: actBy,
};
