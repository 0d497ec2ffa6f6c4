import type { Probe } from '../../src/core/probe.ts';
import { judge } from './judge.ts';
import { type Pool, createPool } from './pool.ts';
import { type ScriptSettings, settings } from './settings.ts';

/** A module of the user's. It runs in a thread: an endless loop, a leak or a crash costs one attempt and nothing else. */
export function scriptProbe(pool: Pool): Probe<ScriptSettings> {
  return {
    kind: 'script',
    settings,

    async attempt({ file, with: given }, context) {
      const { target, signal, clock, enter, trace } = context;
      const job = { file, given: JSON.stringify(given), target, traced: trace !== undefined };
      const answer = await pool.run(job, () => Math.max(0, context.deadline - clock.now()), {
        signal,
        clock,
        onQueued: () => enter('queue'),
        onBegun: () => enter('wait'),
        onPrinted: (text) => trace?.({ kind: 'note', text: `printed: ${text.trimEnd()}` }),
      });
      return judge(answer, file);
    },
  };
}

/** All script targets share the threads; the first attempt starts one. */
export const script = scriptProbe(createPool());
