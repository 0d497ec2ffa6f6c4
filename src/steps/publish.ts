import { z } from 'zod';
import type { StepKind } from '../core/step.ts';

const settings = z.literal('withdraw', { error: 'expected withdraw: nobody is published on trust' });

/**
 * Takes the target out of what its group publishes, and leaves it out when it answers again: a node that fails time after
 * time is not to have traffic until it has proved itself. It is in the ledger that this was done, and from there the
 * publisher knows: so it outlives the agent, and ends with the counters of the ladder.
 */
export const publish: StepKind<z.infer<typeof settings>> = {
  kind: 'publish',
  settings,
  timeoutMs: 10_000,
  asks: false,
  withdraws: true,
  preview: (_settings, { target, group }) => `withdraw ${target} from ${group ?? 'no group'}`,
  async act(_settings, { target, group }) {
    return group === null
      ? { ok: false, detail: `${target} is in no group that could be published`, output: '' }
      : { ok: true, detail: `withdrawn from ${group}, until it has stayed up or somebody acks`, output: '' };
  },
};
