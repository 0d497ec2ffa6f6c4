import {
  type ActionRow,
  type Moment,
  climbKey,
  climbOf,
  climbRow,
  startOf,
  vetoKey,
  vetoedAgain,
} from '../core/action.ts';
import { type Start, relevantStarts } from '../core/brakes.ts';
import type { Clock } from '../core/clock.ts';
import { type Climb, NEW_CLIMB } from '../core/ladder.ts';
import type { Mode } from '../core/policy.ts';
import type { Store } from '../core/store.ts';

/** What recovery must not forget: how far each target was taken, and every action that may have begun. */
export interface Ledger {
  climb(target: string, mode: Mode): Climb;
  setClimb(target: string, mode: Mode, climb: Climb): void;
  /** Of all targets; those of dry runs only count for dry runs. */
  starts(mode: Mode): readonly Start[];
  /** Written anew; without a `counted` it gives its place in the budgets back. */
  write(row: ActionRow): void;
  /** The same with what it came to, as it is kept from now on. */
  close(row: ActionRow): ActionRow;
  /** True once all of that is on the disk. */
  commit(): Promise<boolean>;
  /** Actions that the last process has begun and not seen to the end. */
  unfinished(): readonly ActionRow[];
  /** Who has switched recovery off; null where it is on. */
  off(): string | null;
  setOff(by: string | null): void;
}

/** The longest cool-down that is believed after a restart, ms. */
const LONGEST_COOL_DOWN_MS = 24 * 60 * 60_000;

export function createLedger(store: Pick<Store, 'kept' | 'put' | 'commit'>, clock: Clock): Ledger {
  const moment = (): Moment => ({ now: clock.now(), wall: clock.wallTime() });
  const climbs = new Map<string, Climb>();
  /** In which mode a target was seen last. */
  const lastMode = new Map<string, Mode>();
  const begun = new Map<string, Start & { readonly mode: Mode }>();
  const opened: ActionRow[] = [];
  let off = store.kept('recovery').get('switch')?.off ?? null;

  const start = moment();
  for (const row of store.kept('climb').values()) {
    climbs.set(climbKey(row), climbOf(row, start, LONGEST_COOL_DOWN_MS));
  }
  for (const row of store.kept('action').values()) {
    if (row.counted) begun.set(row.id, { ...startOf(row, start), mode: row.mode });
    if (row.outcome === null) opened.push(row);
  }

  function write(row: ActionRow): void {
    const known = begun.get(row.id);
    if (!row.counted) begun.delete(row.id);
    else if (!known) begun.set(row.id, { ...startOf(row, moment()), mode: row.mode });
    store.put('action', row.id, row);
  }

  return {
    climb(target, mode) {
      const known = climbs.get(climbKey({ target, mode })) ?? NEW_CLIMB;
      const last = lastMode.get(target) ?? mode;
      // Each mode climbs by itself: whoever tries a ladder dry meanwhile finds it in earnest as he left it.
      return last === mode
        ? known
        : { ...known, upSince: climbs.get(climbKey({ target, mode: last }))?.upSince ?? null };
    },
    setClimb(target, mode, climb) {
      const before = climbs.get(climbKey({ target, mode }));
      climbs.set(climbKey({ target, mode }), climb);
      lastMode.set(target, mode);
      const row = climbRow(target, mode, climb, moment());
      const isNews =
        before?.used !== climb.used ||
        before.gaveUp !== climb.gaveUp ||
        before.coolUntil !== climb.coolUntil ||
        before.ackedAt !== climb.ackedAt;
      // That it is up is seen again after a restart.
      if (isNews) store.put('climb', climbKey({ target, mode }), row);
    },
    starts(mode) {
      const now = clock.now();
      const all = [...begun.entries()];
      const relevant = new Set(
        relevantStarts(
          all.map(([, one]) => one),
          now,
        ),
      );
      for (const [id, one] of all) if (!relevant.has(one)) begun.delete(id);
      return [...begun.values()].filter((one) => (one.mode === 'dry_run') === (mode === 'dry_run'));
    },
    write,
    close(row) {
      const kept = row.outcome === 'vetoed' ? vetoedAgain(row, store.kept('action').get(vetoKey(row))) : row;
      write(kept);
      return kept;
    },
    commit: () => store.commit(),
    unfinished: () => opened.splice(0),
    off: () => off,
    setOff(by) {
      off = by;
      store.put('recovery', 'switch', { off: by });
    },
  };
}
