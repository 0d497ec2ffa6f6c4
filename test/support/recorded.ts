import type { Recorded } from '../../src/core/recorded.ts';

/** An attempt on record; what the test is not about is filled in. */
export function recorded(differing: Partial<Recorded> = {}): Recorded {
  return {
    target: 't',
    start: 0,
    latencyMs: 1,
    status: 'ok',
    reason: null,
    message: '',
    state: 'up',
    session: 0,
    ...differing,
  };
}

/** A second apart, a letter an attempt: `+` ok, `-` refused; the state that it was in then is of no matter. */
export function lettered(script: string, { target = 't', from = 0 } = {}): Recorded[] {
  return script.split('').map((letter, index) =>
    recorded({
      target,
      start: from + index * 1_000,
      ...(letter === '-' && { status: 'fail', reason: 'refused', state: 'suspect' }),
    }),
  );
}
