import type { Reasons } from '../core/gates.ts';
import { patienceFor } from '../core/held.ts';
import type { Health } from '../core/health.ts';
import type { Target } from '../core/target.ts';
import type { Monitor } from './monitor.ts';

/** What targets depend on. */
export interface Dependencies {
  /** Those that are not up. */
  blockers(target: Target): readonly string[];
  /** When they were heard of; null where there are none. */
  heard(target: Target): NonNullable<Reasons['dependencies']> | null;
  /** After an attempt: a target that begins to fail has those asked at once that it may be failing with. */
  ask(target: Target, health: Health): void;
}

export function createDependencies(
  monitorOf: (name: string) => Monitor | undefined,
  now: () => number,
): Dependencies {
  /** By name, when it was last asked, monotonic ms. */
  const askedAt = new Map<string, number>();

  function parentsOf({ dependsOn }: Target): Monitor[] {
    return dependsOn.flatMap((name) => monitorOf(name) ?? []);
  }

  return {
    blockers: (target) =>
      parentsOf(target)
        .filter((parent) => {
          const { state } = parent.health();
          return state === 'suspect' || state === 'down' || state === 'recovering';
        })
        .map((parent) => parent.target.name),
    heard(target) {
      const parents = parentsOf(target);
      if (parents.length === 0) return null;
      const failingSince = monitorOf(target.name)?.health().evidence.path?.since ?? -Infinity;
      return {
        at: Math.min(...parents.map((parent) => parent.health().judgedAt)),
        patienceMs: patienceFor(parents.map(({ target }) => target)),
        awaited: parents
          .filter((parent) => parent.health().judgedAt < failingSince)
          .map((parent) => parent.target.name),
      };
    },
    ask(target, { state, evidence }) {
      if (state !== 'suspect' || evidence.path === null) return;
      const { since } = evidence.path;
      for (const parent of parentsOf(target)) {
        const { name } = parent.target;
        if (parent.health().judgedAt >= since || (askedAt.get(name) ?? -Infinity) >= since) continue;
        askedAt.set(name, now());
        parent.ask();
      }
    },
  };
}
