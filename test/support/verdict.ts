import { type Attempt, classOf } from '../../src/core/outcome.ts';

/** An attempt's judgement on one line, as tables write it: `ok`, `void`, or `fail REASON CLASS`. */
export function verdict({ outcome }: Attempt): string {
  return outcome.status === 'fail' ? `fail ${outcome.reason} ${classOf(outcome)}` : outcome.status;
}
