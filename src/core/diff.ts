import type { Target } from './target.ts';

export interface Diff {
  readonly added: readonly Target[];
  readonly removed: readonly Target[];
  /** Same name, other settings. */
  readonly changed: readonly Target[];
  readonly kept: readonly Target[];
}

/** What a reload does to the set of targets. Names are unique within each list. */
export function diff(before: readonly Target[], after: readonly Target[]): Diff {
  const old = new Map(before.map((target) => [target.name, target]));
  const added: Target[] = [];
  const changed: Target[] = [];
  const kept: Target[] = [];
  for (const target of after) {
    const earlier = old.get(target.name);
    old.delete(target.name);
    if (!earlier) added.push(target);
    else if (earlier.fingerprint === target.fingerprint) kept.push(earlier);
    else changed.push(target);
  }
  return { added, removed: [...old.values()], changed, kept };
}
