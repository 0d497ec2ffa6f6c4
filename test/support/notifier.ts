import type { HookEvent, HookEventName, HookRegistry, HookSpec } from '../../src/core/hook.ts';
import type { Row, Store } from '../../src/core/store.ts';
import { type Notifier, createNotifier } from '../../src/notify/notifier.ts';
import { type FakeClock, createFakeClock } from './fake-clock.ts';
import { recorder } from './recorder.ts';

export const HOUR = 3_600_000;

/** A disk: what is on it outlives a notifier. `sick`: nothing can be written. */
export interface FakeDisk {
  readonly rows: Map<string, Row>;
  sick: boolean;
  /** What was put, and what was sent by then. */
  readonly store: Pick<Store, 'kept' | 'put' | 'commit' | 'status'>;
}

export function fakeDisk(): FakeDisk {
  const rows = new Map<string, Row>();
  const disk: FakeDisk = {
    rows,
    sick: false,
    store: {
      kept: () => new Map(rows) as never,
      put(_table, key, row) {
        if (disk.sick) return;
        if (row === null) rows.delete(key!);
        else rows.set(key!, JSON.parse(JSON.stringify(row)) as Row);
      },
      commit: () => Promise.resolve(!disk.sick),
      status: () => ({ path: '/disk', ok: !disk.sick, trouble: null, since: 0, pending: 0, dropped: 0 }),
    },
  };
  return disk;
}

export interface Setup {
  readonly registry: HookRegistry;
  readonly specs: Readonly<Record<string, Partial<HookSpec>>>;
  readonly perHook?: number;
  readonly disk?: FakeDisk;
  readonly clock?: FakeClock;
  readonly targets?: readonly string[];
  readonly isHushed?: (target: string) => boolean;
  readonly isOver?: (event: HookEvent) => boolean;
}

export interface Told {
  readonly notifier: Notifier;
  readonly clock: FakeClock;
  readonly disk: FakeDisk;
  of(word: string): string[];
  /** Tells hooks what has become of a target. */
  tell(target: string, event: HookEventName, hooks?: readonly string[], more?: Partial<HookEvent>): void;
  /** The configuration anew. */
  configure(changes: Partial<Pick<Setup, 'specs' | 'perHook' | 'targets'>>): void;
}

export function specOf(name: string, spec: Partial<HookSpec> = {}): HookSpec {
  return {
    name,
    kind: 'fake',
    settings: {},
    on: null,
    timeoutMs: 5_000,
    retries: null,
    retryForMs: 6 * HOUR,
    groupingMs: 0,
    repeat: null,
    ...spec,
  };
}

/** A notifier on the fake clock that knows all targets, unless told which. */
export function notifying(setup: Setup): Told {
  const {
    registry,
    disk = fakeDisk(),
    clock = createFakeClock(),
    isHushed = () => false,
    isOver = () => false,
  } = setup;
  const { observer, of } = recorder();
  const notifier = createNotifier({
    registry,
    clock,
    random: () => 1,
    observer,
    redact: (text) => text,
    store: disk.store,
    isOver,
    hushedBecause: ({ name }) => (isHushed(name) ? 'paused' : null),
  });
  let current = setup;
  const known = new Set(setup.targets);

  function configure(changes: Partial<Setup>): void {
    current = { ...current, ...changes };
    const { specs, perHook = 2, targets } = current;
    const hooks = new Map(Object.entries(specs).map(([name, spec]) => [name, specOf(name, spec)]));
    const subjects = [...(targets ?? known)].map((name) => ({ name }));
    notifier.configure({ hooks, perHook, subjects });
  }
  configure({});

  return {
    notifier,
    clock,
    disk,
    of,
    configure,
    tell(target, event, hooks = Object.keys(current.specs), more = {}) {
      known.add(target);
      notifier.tell(hooks, eventOf(target, event, clock, more));
    },
  };
}

function eventOf(
  target: string,
  event: HookEventName,
  clock: FakeClock,
  more: Partial<HookEvent>,
): HookEvent {
  const at = new Date(clock.wallTime()).toISOString();
  const incident = more.incident ?? `${target}-1`;
  return {
    id: `${incident}/${event}`,
    event,
    kind: 'target',
    target,
    group: null,
    labels: {},
    purpose: 'live',
    probe: 'tcp',
    state: event === 'up' ? 'up' : 'down',
    from: 'suspect',
    reason: 'refused',
    class: 'explicit',
    message: 'no',
    incident,
    correlated: null,
    relapses: 0,
    attempt: 1,
    at,
    since: at,
    ...more,
  };
}
