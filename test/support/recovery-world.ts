import { z } from 'zod';
import { BRAKES, type Brakes } from '../../src/core/brakes.ts';
import { type Health, judge, unknownHealth } from '../../src/core/health.ts';
import { type Attempt, type Outcome, fail, ok, voided } from '../../src/core/outcome.ts';
import type { RecoveryReport } from '../../src/core/recovery.ts';
import { STEP_DEFAULTS, type Step, type StepKind, type StepRegistry } from '../../src/core/step.ts';
import type { Row, Rows, Store, Table } from '../../src/core/store.ts';
import type { Target } from '../../src/core/target.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { type Recovery, createRecovery } from '../../src/recovery/recovery.ts';
import { circumstances } from './circumstances.ts';
import { type FakeClock, createFakeClock } from './fake-clock.ts';

/** An action that was really begun. */
export interface Acted {
  readonly target: string;
  readonly step: string;
  readonly id: string;
  readonly at: number;
}

/** Targets, their probes, a disk and recovery in the midst of them, on a clock that the test moves. */
export interface World {
  readonly clock: FakeClock;
  recovery(): Recovery;
  readonly acted: readonly Acted[];
  readonly reports: readonly RecoveryReport[];
  /** Most actions of one target at once, ever. */
  readonly mostAtOnce: () => number;
  /** What the probe of a target says from now on. */
  set(target: string, outcome: 'ok' | 'refused' | 'timeout' | 'void'): void;
  stateOf(target: string): Health['state'];
  disk(): Disk;
  /** As kill -9: nothing is written any more, and a new process begins with what is on the disk. */
  crash(): void;
  reload(targets?: readonly Target[], ladder?: readonly Step[]): void;
  circumstances: { hushed: string | null; unreachable: boolean; doubtful: boolean; pausedAt: number };
}

export interface WorldOptions {
  readonly targets: readonly Target[];
  readonly ladder: readonly Step[];
  readonly brakes?: Partial<Brakes>;
  /** What comes of an action, by its step; `hang` goes on until it is called off. */
  readonly act?: (acted: Acted, world: World) => 'ok' | 'failed' | 'hang' | { readonly lasts: number };
  readonly random?: () => number;
  readonly isDryRun?: boolean;
  /** What actions print. */
  readonly output?: string;
  /** What they say of how it went. */
  readonly detail?: string;
  readonly secret?: string;
  readonly veto?: () => boolean;
  /** Timers come so much early, as the system's do. */
  readonly earlyMs?: number;
  /** Until when traffic is let go first, asked at `now`. */
  readonly drainsUntil?: (now: number) => number;
}

interface Disk {
  readonly tables: Map<Table, Map<string, Row>>;
  /** How long a commit takes; null: it cannot be written. */
  lagMs: number | null;
}

/** A step for tests: what the test is not about is filled in. */
export function aStep(name: string, rest: Partial<Step> = {}): Step {
  const { attempts, settleMs, on } = STEP_DEFAULTS;
  return {
    name,
    kind: 'mend',
    settings: {},
    asks: false,
    withdraws: false,
    attempts,
    settleMs,
    on,
    timeoutMs: 60_000,
    cancelOnUp: false,
    ...rest,
  };
}

function rowsOf(tables: Map<Table, Map<string, Row>>, table: Table): Map<string, Row> {
  const rows = tables.get(table) ?? new Map<string, Row>();
  tables.set(table, rows);
  return rows;
}

export function createWorld(options: WorldOptions): World {
  const clock = createFakeClock();
  const acted: Acted[] = [];
  const reports: RecoveryReport[] = [];
  const says = new Map<string, string>();
  const healths = new Map<string, Health>();
  const disk: Disk = { tables: new Map(), lagMs: 5 };
  const flags = { hushed: null as string | null, unreachable: false, doubtful: false, pausedAt: -Infinity };
  const underWay = new Map<string, number>();
  let { targets, ladder } = options;
  let most = 0;
  let attempts = 0;
  let process = 0;
  let recovery!: Recovery;

  function outcomeOf(target: string): Outcome {
    switch (says.get(target) ?? 'ok') {
      case 'ok':
        return ok('fine');
      case 'void':
        return voided('cannot tell');
      case 'timeout':
        return fail('timeout', 'silence');
      default:
        return fail('refused', 'no');
    }
  }

  function attempt(name: string, of: number): void {
    const target = targets.find((one) => one.name === name);
    if (of !== process || !target) return;
    const startedAt = clock.now();
    const seen: Attempt = {
      outcome: outcomeOf(target.name),
      number: ++attempts,
      at: clock.wallTime(),
      startedAt,
      latencyMs: 0,
      phases: {},
    };
    const before = healths.get(target.name) ?? unknownHealth(clock.wallTime());
    const doubt = { ...circumstances().doubt, doubtful: flags.doubtful };
    const { health } = judge(
      before,
      seen,
      circumstances({
        target: target.name,
        at: clock.wallTime(),
        doubt,
        rules: target.rules,
        unverified: recovery.isActing(name),
      }),
    );
    healths.set(target.name, health);
    recovery.onAttempt(target, seen, health);
  }

  /** All of one interval together: a timer for each would take the test a while. */
  function watch(intervalMs: number, of: number): void {
    clock.schedule(clock.now() + intervalMs, () => {
      for (const { name, rules } of targets) if (rules.intervalMs === intervalMs) attempt(name, of);
      if (of === process) watch(intervalMs, of);
    });
  }

  function begin(): void {
    const of = ++process;
    recovery = createRecovery({
      steps: registry(of),
      clock: {
        ...clock,
        schedule: (at, callback) => clock.schedule(at - (options.earlyMs ?? 0), callback),
      },
      random: options.random ?? (() => 0.5),
      store: storeOf(of),
      redact: createRedactor(options.secret === undefined ? [] : [options.secret]),
      isDryRun: options.isDryRun ?? false,
      watch: {
        look: (name) => {
          const isWatched = targets.some((target) => target.name === name);
          const health = healths.get(name) ?? unknownHealth(0);
          return isWatched ? { health, hushed: flags.hushed, unreachable: flags.unreachable } : undefined;
        },
        health: (name) => healths.get(name),
        ask: (name) => void clock.schedule(clock.now() + 1, () => attempt(name, of)),
        doubt: () => ({ doubtful: flags.doubtful }),
        pausedAt: () => flags.pausedAt,
      },
      offBy: () => null,
      drainsUntil: () => options.drainsUntil?.(clock.now()) ?? null,
      onReport: (report) => {
        if (of === process) reports.push(report);
      },
    });
    apply();
    for (const ms of new Set(targets.map(({ rules }) => rules.intervalMs))) watch(ms, of);
  }

  function apply(): void {
    const ladders = new Map([
      ['mend', ladder],
      ['guard', [aStep('guard', { kind: 'guard' })]],
    ]);
    recovery.apply(targets, { ladders, brakes: { ...BRAKES, ...options.brakes } });
  }

  function registry(of: number): StepRegistry {
    const base = { settings: z.unknown(), timeoutMs: 60_000, asks: false, preview: () => 'mend it' };
    const mend: StepKind = {
      ...base,
      kind: 'mend',
      async act(_settings, action, { signal }) {
        if (of !== process) throw new Error('a dead process acts');
        const one = { target: action.target, step: action.step, id: action.id, at: clock.now() };
        acted.push(one);
        const now = (underWay.get(action.target) ?? 0) + 1;
        underWay.set(action.target, now);
        most = Math.max(most, now);
        const comes = options.act?.(one, world) ?? 'ok';
        if (comes === 'hang' || typeof comes === 'object') {
          await new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve(), { once: true });
            if (typeof comes === 'object') clock.schedule(clock.now() + comes.lasts, resolve);
          });
        }
        underWay.set(action.target, (underWay.get(action.target) ?? 1) - 1);
        return {
          ok: comes !== 'failed' && !signal.aborted,
          detail: options.detail ?? String(comes),
          output: options.output ?? 'out',
        };
      },
    };
    const guard: StepKind = {
      ...base,
      kind: 'guard',
      act: async () => ({ ok: options.veto?.() ?? true, detail: 'the guard', output: '' }),
    };
    return { mend, guard };
  }

  /** What is put waits in memory, and is on the disk a while after the commit. */
  function storeOf(of: number): Store {
    const memory = new Map([...disk.tables].map(([table, rows]) => [table, new Map(rows)]));
    let pending: [Table, string, Row][] = [];
    const commit = (): Promise<boolean> =>
      new Promise((resolve) => {
        const batch = pending;
        pending = [];
        clock.schedule(clock.now() + (disk.lagMs ?? 5_000), () => {
          if (of !== process) return;
          const isWritable = disk.lagMs !== null;
          if (isWritable) for (const [table, key, row] of batch) rowsOf(disk.tables, table).set(key, row);
          else pending = [...batch, ...pending];
          resolve(isWritable);
        });
      });
    const behind = (): void => {
      if (of !== process) return;
      if (pending.length > 0) void commit();
      clock.schedule(clock.now() + 1_000, behind);
    };
    behind();
    return {
      kept: <Name extends Table>(table: Name) =>
        rowsOf(memory, table) as unknown as ReadonlyMap<string, Rows[Name]>,
      put(table, key, row) {
        if (key === null || row === null) return;
        rowsOf(memory, table).set(key, row as Row);
        pending.push([table, key, row as Row]);
      },
      commit,
      list: () => Promise.resolve([]),
      status: () => ({
        path: '/db',
        ok: disk.lagMs !== null,
        trouble: disk.lagMs === null ? 'the disk is full' : null,
        since: 0,
        pending: pending.length,
        dropped: 0,
      }),
      close: () => Promise.resolve(),
    };
  }

  const world: World = {
    clock,
    recovery: () => recovery,
    acted,
    reports,
    mostAtOnce: () => most,
    set: (target, outcome) => void says.set(target, outcome),
    stateOf: (target) => healths.get(target)?.state ?? 'unknown',
    disk: () => disk,
    crash: begin,
    reload(next = targets, nextLadder = ladder) {
      targets = next;
      ladder = nextLadder;
      apply();
    },
    circumstances: flags,
  };
  begin();
  return world;
}
