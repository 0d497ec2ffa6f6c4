import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { text } from '../schema/scalars.ts';
import { actBy, asLine } from './command.ts';

const ACTIONS = ['start', 'stop', 'reload', 'restart', 'reload-or-restart', 'try-restart', 'kill'] as const;

const settings = z.strictObject({
  unit: text()
    .refine((unit) => /^[\w:.\\@-]+$/.test(unit), 'a unit is written as `orders` or `orders@1.service`')
    .describe('the unit'),
  action: z
    .enum(ACTIONS, { error: `expected one of ${ACTIONS.join(', ')}` })
    .default('restart')
    .describe('what systemd is to do with it'),
});

type SystemdSettings = z.infer<typeof settings>;

/** A unit of the system's systemd, by systemctl: it waits until the job is done. */
export const systemd: StepKind<SystemdSettings> = {
  kind: 'systemd',
  settings,
  timeoutMs: 120_000,
  asks: false,
  preview: (settings) => asLine(argvOf(settings)),
  act: (settings, action, context) => actBy({ argv: argvOf(settings), cwd: '/', env: {} }, action, context),
};

function argvOf({ unit, action }: SystemdSettings): [string, ...string[]] {
  return ['systemctl', '--no-ask-password', action, '--', unit];
}
