import { NO_DOUBT } from '../../src/core/doubt.ts';
import type { Circumstances } from '../../src/core/health.ts';

/** A quiet day: three failures bring down, two good attempts bring up, with no windows. */
export const RULES = {
  failureThreshold: 3,
  successThreshold: 2,
  degradedThreshold: 3,
  restoredThreshold: 2,
  confirm: { explicit: 0, silent: 0, path: 0 },
};

export function circumstances(differing: Partial<Circumstances> = {}): Circumstances {
  return {
    target: 't',
    rules: RULES,
    slowMs: null,
    regular: true,
    hushed: false,
    unreachable: false,
    unverified: false,
    doubt: NO_DOUBT,
    pathWorks: true,
    at: 0,
    ...differing,
  };
}
