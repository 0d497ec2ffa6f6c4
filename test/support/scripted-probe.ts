import { type Outcome, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { z } from 'zod';

/**
 * Answers from a script, a letter an attempt: `+` ok, `w` warn, `-` refused, `p` not connected, `?` void, `h` hangs until the signal, `z`
 * ignores the signal until `release`. The last letter goes on for ever.
 */
export interface ScriptedProbe extends Probe {
  /** Monotonic times at which attempts started. */
  readonly starts: readonly number[];
  /** Attempts under way now, and the most there have been at once. */
  readonly active: number;
  readonly mostActive: number;
  /** Ends the attempts that ignore their signal. */
  release(): void;
}

export function scriptedProbe(script: string): ScriptedProbe {
  const starts: number[] = [];
  let active = 0;
  let mostActive = 0;
  let zombies: (() => void)[] = [];

  async function answer(letter: string, { signal }: ProbeContext): Promise<Outcome> {
    switch (letter) {
      case '+':
        return ok('fine');
      case 'w':
        return warn('so so');
      case '-':
        return fail('refused', 'no');
      case 'p':
        return fail('connect_timeout', 'nobody there');
      case '?':
        return voided('cannot tell');
      case 'h':
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw signal.reason;
      case 'z':
        await new Promise<void>((resolve) => zombies.push(resolve));
        return ok('too late');
      default:
        throw new Error(`a bug in the probe: ${letter}`);
    }
  }

  return {
    kind: 'scripted',
    settings: z.unknown(),
    async attempt(_settings, context) {
      const letter = script[Math.min(starts.length, script.length - 1)] ?? '+';
      starts.push(context.clock.now());
      active++;
      mostActive = Math.max(mostActive, active);
      try {
        return await answer(letter, context);
      } finally {
        active--;
      }
    },
    starts,
    get active() {
      return active;
    },
    get mostActive() {
      return mostActive;
    },
    release() {
      for (const resolve of zombies) resolve();
      zombies = [];
    },
  };
}
