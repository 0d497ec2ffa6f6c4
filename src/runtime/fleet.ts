import type { Cancel, Clock } from '../core/clock.ts';
import { diff } from '../core/diff.ts';
import type { Doubt } from '../core/doubt.ts';
import type { Health } from '../core/health.ts';
import type { Observer } from '../core/observer.ts';
import { type Attempt, classOf } from '../core/outcome.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import { type Memory, askedOtherwise, nothingKnown } from '../core/saved.ts';
import type { Target } from '../core/target.ts';
import type { View } from '../core/view.ts';
import { createAnchors } from './anchors.ts';
import { createDependencies } from './dependencies.ts';
import { type WrittenBounds, boundsFor } from './bounds.ts';
import { createLimiter } from './limiter.ts';
import { createMassGate } from './mass.ts';
import { type Monitor, createMonitor } from './monitor.ts';
import type { MonitorSnapshot } from '../core/snapshot.ts';
import { createVigil } from './vigil.ts';

/** How long the end waits for probes that ignore their signal, ms: a killed command has had its TERM and its KILL. */
const LEAVE_BEHIND_MS = 2_000;

/** All monitors together. */
export interface Fleet {
  /**
   * Watches exactly these targets from now on. One whose settings are as they were is not touched; one that changed
   * keeps its state, its open incident and its counters, so that what was told as down is told as up again; its streaks, too,
   * where it is asked the same as before.
   */
  apply(targets: readonly Target[], bounds: WrittenBounds, anchors?: readonly Target[]): Changes;
  /** Ends every loop. Resolves when all probes under way have really ended, or are left behind. */
  stop(): Promise<void>;
  snapshot(): MonitorSnapshot[];
  /** One target; undefined where it is not watched. */
  look(name: string): MonitorSnapshot | undefined;
  /** Another attempt of a target, as soon as may be. */
  ask(name: string): void;
  /** Monotonic ms at which the agent last stood still. */
  pausedAt(): number;
  /** Undefined where there is no such target. */
  view(name: string): View | undefined;
  /** What the agent thinks of itself. */
  doubt(): Doubt;
  health(target: string): Health | undefined;
  /** Id of the episode in which many targets fail together; null where none is under way. */
  episode(): string | null;
  memory(name: string): Memory | undefined;
}

export interface Changes {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly kept: number;
}

export interface FleetOptions {
  readonly probes: ProbeRegistry;
  readonly clock: Clock;
  readonly observer: Required<Observer>;
  readonly redact: Redact;
  /** Why nothing is told of a target for now; null where nobody wants that. */
  readonly hushedBecause?: (target: Target) => string | null;
  /** Something is done about it that is not verified yet. */
  readonly isUnverified?: (target: string) => boolean;
  /** What was known of a target before; null where nothing was. */
  readonly recall?: (target: Target) => Memory | null;
}

export function createFleet({
  probes,
  clock,
  observer,
  redact,
  hushedBecause = () => null,
  isUnverified = () => false,
  recall,
}: FleetOptions): Fleet {
  // Whole, so that the grid is exact: all intervals are whole milliseconds.
  const epoch = Math.ceil(clock.now());
  const limiter = createLimiter({ total: 1, perHost: () => 1 });
  const monitors = new Map<string, Monitor>();
  const vigil = createVigil({
    clock,
    isCutOff: () => anchors.areLost(),
    onLapse: forgiveAll,
    onDoubt(doubt, because) {
      // Whoever was in doubt has seen nothing clearly: every target begins with full grace.
      if (!doubt.doubtful) forgiveAll();
      observer.onDoubt(doubt, because);
    },
  });

  /** By target, the end of monitors that were stopped while their probe was still at it. */
  const ending = new Map<string, Promise<void>>();

  const dependencies = createDependencies((name) => monitors.get(name), clock.now);

  const anchors = createAnchors({ probes, clock, redact, onTrouble: observer.onTrouble });
  const mass = createMassGate({
    clock,
    watched: () =>
      [...monitors.values()]
        .filter(({ target }) => hushedBecause(target) === null)
        .map(({ target: { name }, health }) => ({ name, health: health() })),
    health: (name) => monitors.get(name)?.health(),
    isDoubtful: () => vigil.doubt().doubtful,
    isUs: anchors.areLost,
  });
  const witness: Required<Observer> = {
    ...observer,
    onAttempt(target, attempt, health, held, given) {
      const isMass = health.state === 'suspect' && mass.look();
      dependencies.ask(target, health);
      if (isUnheard(attempt) || isMass) anchors.ask();
      anchors.see(target, attempt);
      observer.onAttempt(target, attempt, health, held, given);
    },
  };

  function forgiveAll(): void {
    for (const monitor of monitors.values()) monitor.forgive();
  }

  function begin(target: Target, memory: Memory): Monitor {
    const monitor = createMonitor({
      target,
      probe: probes[target.probe.kind]!,
      clock,
      limiter,
      observer: witness,
      redact,
      epoch,
      isUnreachable: () => dependencies.blockers(target).length > 0,
      surroundings: () => ({
        blockers: dependencies.blockers(target),
        dependencies: dependencies.heard(target),
        hushed: hushedBecause(target),
        unverified: isUnverified(target.name),
        episode: mass.episode(),
        pathWorks: anchors.pathWorks(),
      }),
      vigil,
      memory,
    });
    monitors.set(target.name, monitor);
    return monitor;
  }

  function end(monitor: Monitor): void {
    const { name } = monitor.target;
    const ended = Promise.all([ending.get(name), monitor.stop()]).then(() => {
      if (ending.get(name) === ended) ending.delete(name);
    });
    ending.set(name, ended);
  }

  /** Never two attempts of one target at once, even where an old probe ignores that it was called off. */
  function startAfterEnding(monitor: Monitor): void {
    const before = ending.get(monitor.target.name);
    if (before) void before.then(() => monitor.start());
    else monitor.start();
  }

  function remove(name: string): void {
    const monitor = monitors.get(name);
    monitors.delete(name);
    if (monitor) end(monitor);
  }

  function replace(target: Target): void {
    const monitor = monitors.get(target.name)!;
    const memory = monitor.memory();
    const isAskedTheSame = monitor.target.probeFingerprint === target.probeFingerprint;
    const next = begin(target, isAskedTheSame ? memory : askedOtherwise(memory));
    end(monitor);
    startAfterEnding(next);
  }

  return {
    apply(targets, bounds, anchored = []) {
      limiter.resize(boundsFor(targets, bounds));
      vigil.start();
      anchors.apply(anchored, targets);
      const { added, removed, changed, kept } = diff(
        [...monitors.values()].map((m) => m.target),
        targets,
      );
      for (const { name } of removed) remove(name);
      for (const target of changed) replace(target);
      for (const target of added) {
        startAfterEnding(begin(target, recall?.(target) ?? nothingKnown(clock.wallTime())));
      }
      return {
        added: added.length,
        removed: removed.length,
        changed: changed.length,
        kept: kept.length,
      };
    },
    async stop() {
      vigil.stop();
      anchors.stop();
      for (const name of monitors.keys()) remove(name);
      let cancel: Cancel = () => {};
      const patience = new Promise<void>((resolve) => {
        cancel = clock.schedule(clock.now() + LEAVE_BEHIND_MS, resolve);
      });
      await Promise.race([Promise.all(ending.values()), patience]);
      cancel();
    },
    snapshot: () => [...monitors.values()].map((monitor) => monitor.snapshot()),
    look: (name) => monitors.get(name)?.snapshot(),
    ask: (name) => monitors.get(name)?.ask(),
    pausedAt: () => vigil.lapses().pausedAt,
    view: (name) => monitors.get(name)?.view(),
    health: (target) => monitors.get(target)?.health(),
    doubt: vigil.doubt,
    episode: mass.episode,
    memory: (name) => monitors.get(name)?.memory(),
  };
}

/** A failure that may be the network's, and so the agent's own. */
function isUnheard({ outcome }: Attempt): boolean {
  const cls = classOf(outcome);
  return cls === 'silent' || cls === 'path';
}
