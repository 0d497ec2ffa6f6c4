import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { withShortForm } from '../schema/scalars.ts';
import { type StepCommand, actBy, asLine, containment } from './command.ts';
import { argvTemplate, filled, missingLabels } from './template.ts';

const keys = z
  .strictObject({
    command: argvTemplate().describe('what to run; `{target}` and the like are put into its arguments'),
    ...containment,
  })
  .transform(({ command, ...rest }) => ({ argv: command, ...rest }));

/** A program with its arguments; no shell is involved. */
export const exec: StepKind<StepCommand> = {
  kind: 'exec',
  settings: withShortForm(['list'], (command) => ({ command }), keys),
  timeoutMs: 60_000,
  asks: false,
  preview: ({ argv }, action) => asLine(filled(argv, action)),
  async act(settings, action, context) {
    const missing = missingLabels(settings.argv, action);
    if (missing.length > 0) throw new Error(`${action.target} has no label ${missing.join(', ')}`);
    return await actBy({ ...settings, argv: filled(settings.argv, action) }, action, context);
  },
};
