import type { Cancel, Clock } from '../core/clock.ts';
import type { Health } from '../core/health.ts';
import type { Observer } from '../core/observer.ts';
import type { Attempt } from '../core/outcome.ts';
import {
  type KeptPause,
  type Maintenance,
  type OpenWindow,
  type Pause,
  type ScheduledWindow,
  type Scope,
  type Subject,
  coverageOf,
  hushedBecause,
  isDrained,
  isOver,
  keptOf,
  restored,
  scopeKey,
  scopesOf,
  withAttempt,
  withRelease,
} from '../core/pause.ts';
import type { Target } from '../core/target.ts';
import { windowAt } from './calendar.ts';

/** Of whom nothing is told for now: pauses that somebody asked for, and maintenance by the calendar. */
export interface Quiet {
  apply(targets: readonly Target[], maintenance: readonly Maintenance[]): void;
  /** Why nothing is told of it; null where nobody wants that. */
  because(subject: Subject): string | null;
  /** Whether consumers are to leave it alone meanwhile. */
  drains(target: Target): boolean;
  /** A pause of the same scope gives way to it. */
  pause(wish: Wish): Pause;
  /** Whatever the scope covers is not paused any more: the pauses that ended, and those that go on for others. */
  resume(scope: Scope, by: string): { readonly ended: readonly Pause[]; readonly left: readonly Pause[] };
  /** In force now, the oldest first. */
  pauses(): Pause[];
  /** Of each maintenance the window that is open, or else the next one. */
  windows(): ScheduledWindow[];
  /** After it has been judged. */
  seen(target: Target, attempt: Pick<Attempt, 'outcome'>, health: Health): void;
  stop(): void;
}

/** A pause that somebody asks for. */
export interface Wish extends Pick<Pause, 'scope' | 'reason' | 'by' | 'untilHealthy' | 'drain'> {
  readonly forMs: number;
}

export interface QuietOptions {
  readonly clock: Clock;
  readonly observer: Pick<Required<Observer>, 'onPause' | 'onMaintenance'>;
  /** What was kept of the last run, and where pauses are kept for the next one. */
  readonly rows: ReadonlyMap<string, KeptPause>;
  readonly keep: (key: string, row: KeptPause | null) => void;
  readonly healthOf: (target: string) => Health | undefined;
}

/** The wall clock may be set: the calendar is looked at so often, though nothing is due, ms. */
const LOOK_MS = 60_000;

interface PageWindow extends Page, ScheduledWindow {}
interface Page extends Omit<Maintenance, 'targets' | 'groups'>, Pick<OpenWindow, 'targets' | 'groups'> {}

export function createQuiet({ clock, observer, rows, keep, healthOf }: QuietOptions): Quiet {
  const pauses = new Map<string, Pause>();
  let covered = coverageOf([]);
  let maintenance: readonly Page[] = [];
  let open: readonly PageWindow[] = [];
  let cancel: Cancel = () => {};

  const start = { now: clock.now(), wall: clock.wallTime() };
  for (const [key, row] of rows) pauses.set(key, restored(row, start));

  /** Those whose scope it is in, the oldest first: there are as many as scopes, however many pauses there are. */
  function pausesOf(subject: Subject): Pause[] {
    return scopesOf(subject)
      .flatMap((scope) => pauses.get(scopeKey(scope)) ?? [])
      .toSorted((a, b) => a.at - b.at);
  }

  function end(pause: Pause, because: string): void {
    const key = scopeKey(pause.scope);
    pauses.delete(key);
    keep(key, null);
    observer.onPause(pause, because);
  }

  function become(pause: Pause): void {
    const key = scopeKey(pause.scope);
    pauses.set(key, pause);
    keep(key, keptOf(pause));
  }

  function windowsAt(wall: number): PageWindow[] {
    return maintenance.map((page) => ({ ...page, ...windowAt(page, wall) }));
  }

  /** Ends what is over, tells of windows that open and close, and comes back at the next such moment. */
  function look(): void {
    cancel();
    const now = clock.now();
    const wall = clock.wallTime();
    for (const pause of pauses.values()) if (pause.endsAt <= now) end(pause, 'time');
    const windows = windowsAt(wall);
    const before = open;
    open = windows.filter(({ isOpen }) => isOpen);
    for (const window of before) if (!open.some(same(window))) observer.onMaintenance(window, false);
    for (const window of open) if (!before.some(same(window))) observer.onMaintenance(window, true);
    const turns = windows.map(({ isOpen, from, until }) => now + (isOpen ? until : from) - wall);
    const ends = [...pauses.values()].map(({ endsAt }) => endsAt);
    if (turns.length + ends.length === 0) return;
    cancel = clock.schedule(Math.min(now + LOOK_MS, ...turns, ...ends), look);
  }

  return {
    apply(nextTargets, nextMaintenance) {
      covered = coverageOf(nextTargets);
      maintenance = nextMaintenance.map((entry) => ({
        ...entry,
        targets: new Set(entry.targets),
        groups: new Set(entry.groups),
      }));
      look();
    },
    because: (subject) =>
      pauses.size === 0 && open.length === 0
        ? null
        : hushedBecause(subject, pausesOf(subject), open, { now: clock.now(), wall: clock.wallTime() }),
    drains: (target) => pauses.size > 0 && isDrained(target, pausesOf(target), clock.now()),
    pause({ forMs, ...wish }) {
      const now = clock.now();
      const wall = clock.wallTime();
      const failing = covered(wish.scope).filter((name) => isFailing(healthOf(name)));
      const pause: Pause = {
        ...wish,
        at: wall,
        until: wall + forMs,
        endsAt: now + forMs,
        healing: wish.untilHealthy ? Object.fromEntries(failing.map((name) => [name, 0])) : {},
        released: new Set(),
      };
      const before = pauses.get(scopeKey(wish.scope));
      if (before) end(before, 'replaced');
      become(pause);
      observer.onPause(pause, null);
      look();
      return pause;
    },
    resume(scope, by) {
      const names = new Set(covered(scope));
      const ended: Pause[] = [];
      const left: Pause[] = [];
      const released = [scope, ...[...names].map((target) => ({ target }))];
      for (const pause of pauses.values()) {
        const holds = covered(pause.scope);
        const isMeant = 'all' in scope || scopeKey(pause.scope) === scopeKey(scope);
        const isHeld = (target: string): boolean => !pause.released.has(scopeKey({ target }));
        if (!isMeant && !holds.some((name) => names.has(name) && isHeld(name))) continue;
        const next = withRelease(pause, released);
        if (isMeant || isOver(next, holds)) {
          ended.push(pause);
          end(pause, `resumed by ${by}`);
        } else {
          left.push(next);
          become(next);
        }
      }
      look();
      return { ended, left };
    },
    pauses: () => [...pauses.values()].toSorted((a, b) => a.at - b.at),
    windows: () => windowsAt(clock.wallTime()),
    seen(target, { outcome: { status } }, { state }) {
      if (pauses.size === 0) return;
      for (const pause of pausesOf(target)) {
        const threshold = target.rules.successThreshold;
        const next = withAttempt(pause, target.name, { status, state, threshold });
        if (next === pause) continue;
        become(next);
        if (next.released !== pause.released && isOver(next, covered(next.scope))) end(next, 'healthy');
      }
    },
    stop: () => cancel(),
  };
}

function isFailing(health: Health | undefined): boolean {
  return health !== undefined && health.state !== 'up' && health.state !== 'unknown';
}

/** The same time of quiet, however often the calendar is read anew: windows that overlap or meet are one. */
function same(one: PageWindow): (other: PageWindow) => boolean {
  return (other) =>
    other.reason === one.reason &&
    other.cron === one.cron &&
    other.zone === one.zone &&
    other.forMs === one.forMs &&
    Math.max(other.from, one.from) <= Math.min(other.until, one.until);
}
