import type { Clock } from './core/clock.ts';
import type { Doubt } from './core/doubt.ts';
import type { HookRegistry } from './core/hook.ts';
import { type Observer, combine } from './core/observer.ts';
import type { ProbeRegistry } from './core/probe.ts';
import type { RecoveryReport } from './core/recovery.ts';
import type { Redact } from './core/redact.ts';
import type { View } from './core/view.ts';
import type { Config } from './config/load.ts';
import type { StepRegistry } from './core/step.ts';
import type { Store } from './core/store.ts';
import { subjectOf } from './core/group.ts';
import { isOver } from './core/told.ts';
import { createNotifier } from './notify/notifier.ts';
import { type Publisher, createPublisher } from './publish/publisher.ts';
import { createOffFile } from './recovery/off-file.ts';
import { type Recovery, createRecovery } from './recovery/recovery.ts';
import { type Changes, createFleet } from './runtime/fleet.ts';
import { type GroupSnapshot, createGroups } from './runtime/groups.ts';
import { hookEvent } from './runtime/hook-event.ts';
import { createKeeper } from './runtime/keeper.ts';
import { type Quiet, createQuiet } from './runtime/quiet.ts';
import type { MonitorSnapshot } from './core/snapshot.ts';

/** How many reloads back a secret is still masked. */
const MOST_REDACTORS = 8;

/** The whole agent: what is watched, what is believed of it, and what runs when that changes. */
export interface Agent {
  /** Puts a configuration into force, at the start and at every reload. */
  apply(config: Config): Changes;
  /** Stops probing at once, and lets hooks finish within the grace of the configuration. */
  stop(): Promise<void>;
  snapshot(): MonitorSnapshot[];
  view(name: string): View | undefined;
  doubt(): Doubt;
  groups(): GroupSnapshot[];
  /** Who of a group consumers may use. */
  readonly published: Pick<Publisher, 'publication' | 'member'>;
  /** Pauses and maintenance. */
  readonly quiet: Pick<Quiet, 'pause' | 'resume' | 'pauses' | 'windows'>;
  readonly recovery: Pick<Recovery, 'standing' | 'acknowledge' | 'switchOff' | 'off'>;
}

export interface AgentOptions {
  readonly probes: ProbeRegistry;
  readonly hooks: HookRegistry;
  readonly steps: StepRegistry;
  /** Whatever would be done to a target is only said. */
  readonly isDryRun: boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly observers: readonly Observer[];
  readonly store: Store;
}

export function createAgent(options: AgentOptions): Agent {
  const { probes, hooks, clock, random, observers, store } = options;
  let config: Config | undefined;
  /** Of the newest configurations: what was asked with a secret that a reload has replaced may still be under way. */
  let redactors: readonly Redact[] = [];
  const redact: Redact = (text) => redactors.reduce((masked, one) => one(masked), text);
  const keeper = createKeeper({ store, clock, memoryOf: (name) => fleet.memory(name) });
  const told = combine([keeper.observer, ...observers]);
  const notifier = createNotifier({
    registry: hooks,
    clock,
    random,
    observer: told,
    redact,
    store,
    hushedBecause: (subject) => quiet.because(subject),
    isOver(event) {
      const health = event.kind === 'group' ? groups.health(event.target) : fleet.health(event.target);
      return health !== undefined && isOver(health, event);
    },
  });
  const observer: Required<Observer> = {
    ...told,
    onAttempt(target, attempt, health, held, given) {
      told.onAttempt(target, attempt, health, held, given);
      quiet.seen(target, attempt, health);
      groups.seen(target, attempt, health);
      // Its traffic is let go before anything is done about it.
      publisher.seen(target, attempt, health);
    },
    // Whoever hears that it has been given up on has heard that it is down.
    onConcluded(target, attempt, health) {
      told.onConcluded(target, attempt, health);
      recovery.onAttempt(target, attempt, health);
    },
    // The log speaks of it before the hooks that it sets off.
    onNews(subject, news) {
      told.onNews(subject, news);
      notifier.tell(subject.notify, hookEvent(subject, news));
    },
    onTrouble: (what, detail) => told.onTrouble(what, redact(detail)),
  };
  const quiet = createQuiet({
    clock,
    observer: told,
    rows: store.kept('pause'),
    keep: (key, row) => store.put('pause', key, row),
    healthOf: (target) => fleet.health(target),
  });
  const fleet = createFleet({
    probes,
    clock,
    observer,
    redact,
    hushedBecause: quiet.because,
    isUnverified: (target) => recovery.isActing(target),
    recall: keeper.recall,
  });
  const groups = createGroups({
    clock,
    observer,
    hushedBecause: quiet.because,
    isDoubtful: () => fleet.doubt().doubtful,
    episode: fleet.episode,
    rows: store.kept('group'),
    keep: (name, health) => store.put('group', name, health),
  });

  const publisher = createPublisher({
    clock,
    rows: store.kept('publication'),
    keep: (group, row) => store.put('publication', group, row),
    isPaused: (target) => quiet.because(target) !== null,
    isDrained: quiet.drains,
    isWithdrawn: (target) => recovery.isWithdrawn(target),
    isActedOn: (target) => recovery.isActing(target),
    isDoubtful: () => fleet.doubt().doubtful,
    onReport: (report) => told.onPublish(report),
  });

  const offFile = createOffFile(clock);
  const recovery = createRecovery({
    ...options,
    redact,
    watch: fleet,
    offBy: offFile.because,
    drainsUntil: publisher.drainsUntil,
    onReport(report) {
      told.onRecovery(report);
      if (report.what === 'gave_up') tellGivenUp(report);
    },
  });

  function tellGivenUp(report: Extract<RecoveryReport, { what: 'gave_up' }>): void {
    const { incident, mode } = report;
    const target = config?.targets.find(({ name }) => name === report.target);
    const { health, last } = fleet.look(report.target) ?? {};
    if (!target || !health || !last) return;
    const { state, lastIncident } = health;
    const { relapses } = lastIncident;
    const news = {
      incident,
      relapses,
      correlated: null,
      from: state,
      state,
      at: clock.wallTime(),
      attempt: last,
    };
    const why = mode === 'dry_run' ? `dry run, nothing was done: ${report.why}` : report.why;
    observer.onNews(target, { ...news, event: 'gave_up', message: `${why}: ${last.outcome.message}` });
  }

  return {
    apply(next) {
      redactors = [next.redact, ...redactors].slice(0, MOST_REDACTORS);
      config = next;
      const { perHook } = next.concurrency;
      const subjects = [...next.targets, ...next.groups.map(subjectOf)];
      notifier.configure({ hooks: next.hooks, perHook, subjects });
      quiet.apply(next.targets, next.maintenance);
      const abandoned = groups.apply(next.groups);
      const changes = fleet.apply(next.targets, next.concurrency, next.anchors);
      offFile.watch(next.recovery.offFile);
      recovery.apply(next.targets, next.recovery);
      publisher.apply({ ...next, brakes: next.recovery.brakes });
      abandoned.push(...keeper.retain(next.targets));
      for (const { name, incident } of abandoned) told.onAbandoned(name, incident);
      return changes;
    },
    async stop() {
      quiet.stop();
      keeper.stop();
      const graceMs = config?.stopGraceMs ?? 0;
      offFile.stop();
      await Promise.all([fleet.stop(), notifier.stop(graceMs), recovery.stop(graceMs), publisher.stop()]);
    },
    snapshot: fleet.snapshot,
    view: fleet.view,
    doubt: fleet.doubt,
    groups: groups.snapshot,
    published: publisher,
    quiet,
    recovery,
  };
}
