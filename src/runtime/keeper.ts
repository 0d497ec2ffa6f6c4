import { type Calibration, NO_CALIBRATION, hasLearned } from '../core/calibration.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Health } from '../core/health.ts';
import type { Observer } from '../core/observer.ts';
import { type Memory, isNews, remembered, saved } from '../core/saved.ts';
import type { Store } from '../core/store.ts';
import type { Target } from '../core/target.ts';

/** Keeps what is known of each target, so that a restart begins where the last process ended. */
export interface Keeper {
  readonly observer: Observer;
  /** What was known of a target before this process. */
  recall(target: Target): Memory | null;
  /** From now on these are the targets. What is known of others is forgotten; the incidents that they leave open. */
  retain(targets: readonly Target[]): Abandoned[];
  /** Once more everything. */
  stop(): void;
}

/** An incident of a target, or a group, that is no more. */
export interface Abandoned {
  readonly name: string;
  readonly incident: string;
}

export interface KeeperOptions {
  readonly store: Pick<Store, 'kept' | 'put'>;
  readonly clock: Clock;
  readonly memoryOf: (name: string) => Memory | undefined;
}

/** That a target is up again and again is kept so often, ms. */
const QUIET_MS = 10_000;
const MOST_AT_ONCE = 200;
const PAUSE_MS = 10;

export function createKeeper({ store, clock, memoryOf }: KeeperOptions): Keeper {
  /** Of each target what was kept last. */
  const kept = new Map<string, Health>();
  const calibrations = new Map<string, Calibration>();
  /** Targets of which something was learned since. */
  const stale = new Map<string, Target>();
  let cancel: Cancel | undefined;

  function save(target: Target): void {
    stale.delete(target.name);
    const memory = memoryOf(target.name);
    if (!memory) return;
    kept.set(target.name, memory.health);
    store.put('target', target.name, saved(memory, target, clock.now()));
    saveCalibration(target, memory.calibration);
  }

  function saveCalibration({ name, probeFingerprint }: Target, calibration: Calibration): void {
    if (!hasLearned(calibrations.get(name) ?? NO_CALIBRATION, calibration)) return;
    calibrations.set(name, calibration);
    store.put('calibration', name, { ...calibration, probe: probeFingerprint });
  }

  /** A few at a time: of thousands all at once the loop would be late. */
  function saveSome(): void {
    let saved = 0;
    for (const target of stale.values()) {
      if (saved++ === MOST_AT_ONCE) break;
      save(target);
    }
    const more = stale.size > 0;
    cancel = more ? clock.schedule(clock.now() + PAUSE_MS, saveSome) : undefined;
  }

  /** What was measured by another probe is of no use. */
  function recallCalibration({ name, probeFingerprint }: Target): Calibration {
    const { days, probe } = store.kept('calibration').get(name) ?? {};
    return probe === probeFingerprint ? { days: days as Calibration['days'] } : NO_CALIBRATION;
  }

  return {
    observer: {
      onAttempt(target, _attempt, health) {
        const before = kept.get(target.name);
        if (!before || isNews(before, health)) return save(target);
        stale.set(target.name, target);
        cancel ??= clock.schedule(clock.now() + QUIET_MS, saveSome);
      },
    },
    recall(target) {
      const row = store.kept('target').get(target.name);
      if (!row) return null;
      const calibration = recallCalibration(target);
      calibrations.set(target.name, calibration);
      return { ...remembered(row, target, clock.now()), calibration };
    },
    retain(targets) {
      const names = new Set(targets.map(({ name }) => name));
      const abandoned: Abandoned[] = [];
      for (const [name, { incident }] of store.kept('target')) {
        if (names.has(name)) continue;
        store.put('target', name, null);
        kept.delete(name);
        stale.delete(name);
        if (incident !== null) abandoned.push({ name, incident });
      }
      for (const target of store.kept('calibration').keys()) {
        if (names.has(target)) continue;
        store.put('calibration', target, null);
        calibrations.delete(target);
      }
      return abandoned;
    },
    stop() {
      cancel?.();
      for (const target of stale.values()) save(target);
    },
  };
}
