import { type Brakes, type Panic, panicOf } from '../core/brakes.ts';
import type { Clock } from '../core/clock.ts';
import type { State } from '../core/health.ts';
import type { RecoveryReport } from '../core/recovery.ts';
import type { Store } from '../core/store.ts';
import type { Target } from '../core/target.ts';

/** Targets that are recovered together, or rather not: their group, or else those of one ladder. */
export interface Groups {
  apply(targets: readonly Target[]): void;
  nameOf(target: Target): string;
  membersOf(group: string): readonly string[];
  /** How many are bad, and whether that is a panic by now. */
  look(group: string, brakes: Brakes, now: number): { readonly bad: number; readonly panic: Panic | null };
  /** Somebody has looked at the group. */
  acknowledge(group: string): void;
}

export interface GroupsOptions {
  /** Undefined where nothing was heard of it yet. */
  readonly stateOf: (target: string) => State | undefined;
  readonly onPanic: (report: RecoveryReport) => void;
  /** Panics outlive the agent, and with them that somebody has looked. */
  readonly store: Pick<Store, 'kept' | 'put'>;
  readonly clock: Pick<Clock, 'now'>;
}

const KEY = 'panic ';

export function createGroups({ stateOf, onPanic, store, clock }: GroupsOptions): Groups {
  let members: ReadonlyMap<string, readonly string[]> = new Map();
  const panics = new Map<string, Panic>();
  // How long it has been calm is not known: it begins to be over anew.
  for (const [key, { acked = false }] of store.kept('recovery')) {
    if (key.startsWith(KEY))
      panics.set(key.slice(KEY.length), { since: clock.now(), calmSince: null, acked });
  }

  function set(group: string, panic: Panic | null): void {
    const before = panics.get(group);
    if (panic) panics.set(group, panic);
    else panics.delete(group);
    if (before?.acked === panic?.acked) return;
    store.put('recovery', `${KEY}${group}`, panic && { off: null, acked: panic.acked });
  }

  function nameOf({ group, recover }: Target): string {
    return group ?? `those of ${recover[0] ?? 'no ladder'}`;
  }

  function membersOf(group: string): readonly string[] {
    return members.get(group) ?? [];
  }

  function isBad(name: string): boolean {
    const state = stateOf(name);
    return state === 'down' || state === 'recovering' || state === 'unknown';
  }

  return {
    apply(targets) {
      const next = new Map<string, string[]>();
      for (const target of targets) {
        const group = nameOf(target);
        const names = next.get(group);
        if (names) names.push(target.name);
        else next.set(group, [target.name]);
      }
      // Where nothing is ever done, there is nothing to stop.
      const acting = new Set(targets.filter(({ recover }) => recover.length > 0).map(nameOf));
      for (const group of next.keys()) if (!acting.has(group)) next.delete(group);
      members = next;
      for (const group of panics.keys()) if (!next.has(group)) set(group, null);
    },
    nameOf,
    membersOf,
    look(group, brakes, now) {
      const size = membersOf(group).length;
      const bad = membersOf(group).filter(isBad).length;
      const before = panics.get(group) ?? null;
      const panic = panicOf(before, { size, bad }, now, brakes);
      set(group, panic);
      if ((before === null) !== (panic === null)) {
        onPanic({ what: panic ? 'panic' : 'calm', group, bad, size });
      }
      return { bad, panic };
    },
    acknowledge(group) {
      const panic = panics.get(group);
      if (panic) set(group, { ...panic, acked: true });
    },
  };
}
