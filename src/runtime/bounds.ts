import type { Target } from '../core/target.ts';
import type { Concurrency } from './limiter.ts';

/** What the configuration says; what it leaves open is made to fit the targets. */
export interface WrittenBounds {
  readonly total?: number;
  readonly perHost?: number;
}

/**
 * So many attempts of one target may be under way while it is looked into. Where fewer places than that are left, targets
 * that hang keep the others from being asked: that they hang together must not slow any verdict down.
 */
const AT_ONCE = 4;
const LEAST_TOTAL = 256;
/** Each attempt has a descriptor. */
const MOST_TOTAL = 4_096;
const LEAST_PER_HOST = 8;

export function boundsFor(targets: readonly Target[], { total, perHost }: WrittenBounds): Concurrency {
  const counts = new Map<string, number>();
  for (const { host } of targets) if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1);
  return {
    total: total ?? Math.min(MOST_TOTAL, Math.max(LEAST_TOTAL, AT_ONCE * targets.length)),
    perHost: (host) => perHost ?? Math.max(LEAST_PER_HOST, AT_ONCE * (counts.get(host) ?? 0)),
  };
}
