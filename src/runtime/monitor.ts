import type { Cancel, Clock } from '../core/clock.ts';
import { type Reasons, circumstancesOf, whyHeld } from '../core/gates.ts';
import { type Health, forgiven, judge } from '../core/health.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import type { Attempt } from '../core/outcome.ts';
import { type NextStart, type Standing, isConfirming, nextStart } from '../core/plan.ts';
import type { Probe } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import type { Memory } from '../core/saved.ts';
import { firstDue, startsBetween } from '../core/schedule.ts';
import type { Target } from '../core/target.ts';
import type { Pending, View } from '../core/view.ts';
import { type RunningAttempt, startAttempt } from './attempt.ts';
import { excused } from './excuse.ts';
import { createHabits } from './habits.ts';
import type { Limiter } from './limiter.ts';
import { type MonitorSnapshot, snapshotOf } from '../core/snapshot.ts';
import type { Vigil } from './vigil.ts';

/** One target's loop: due -> place -> attempt -> judgement -> observers, and when it is due again. */
export interface Monitor {
  readonly target: Target;
  start(): void;
  /** Full grace: whatever speaks against the target up to now counts no more. */
  forgive(): void;
  /** Another attempt, as soon as the one under way has ended: that began before the question. */
  ask(): void;
  /** Ends the loop; an attempt under way has no outcome. Resolves when its probe has really ended. */
  stop(): Promise<void>;
  health(): Health;
  snapshot(): MonitorSnapshot;
  /** All that decides what happens next. */
  view(): View;
  /** What a successor, or a later process, goes on with. */
  memory(): Memory;
}

export interface MonitorOptions {
  readonly target: Target;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly observer: Required<Observer>;
  readonly redact: Redact;
  /** Monotonic ms from which all targets count their phases. */
  readonly epoch: number;
  /** What stands around the target: what it depends on, who has paused it, whether the network is there. */
  readonly surroundings: () => Omit<Reasons, 'doubt' | 'flapping' | 'purpose'>;
  /** What it depends on is not up: asked more often than all of that. */
  readonly isUnreachable: () => boolean;
  readonly vigil: Pick<Vigil, 'doubt' | 'lapses' | 'note'>;
  readonly memory: Memory;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { target, probe, clock, limiter, observer, redact, epoch, vigil, surroundings } = options;
  const { name } = target;
  const habits = createHabits(target, options.memory);
  let { health, attempts, missed } = options.memory;
  let last: Attempt | undefined;
  let stopped = false;
  let cancelDue: Cancel = () => {};
  /** Under way, or settled by the runner while the probe has not let go yet. */
  const active = new Map<RunningAttempt, Pending>();
  const lingering = new Set<RunningAttempt>();
  /** An attempt waits for its place. */
  let queued = false;
  /** The answer is late enough to look again, though nothing has failed. */
  let suspected = false;
  let asked = false;
  let planned: NextStart | null = null;
  let latest = { due: -Infinity, startedAt: -Infinity, onGrid: false };

  function scheduleAt(next: NextStart): void {
    cancelDue();
    planned = next;
    cancelDue = clock.schedule(next.due, () => {
      planned = null;
      // A bug here must end neither the agent nor, in silence, the watch over one target.
      begin(next).catch((error: unknown) => {
        observer.onTrouble('monitor', stackOf(error));
        queued = false;
        plan();
      });
    });
  }

  /** Holds its place until the outcome. */
  async function begin({ due, onGrid }: NextStart): Promise<void> {
    queued = true;
    await limiter.run(target.host, async () => {
      queued = false;
      if (stopped) return;
      attempts++;
      asked = false;
      latest = { due, startedAt: clock.now(), onGrid };
      observer.onStart(target, latest.startedAt - due);
      await follow(
        startAttempt({ target, probe, number: attempts, clock, redact, onTrouble: observer.onTrouble }),
      );
    });
  }

  async function follow(attempt: RunningAttempt): Promise<void> {
    const { startedAt, onGrid } = latest;
    active.set(attempt, { startedAt, regular: onGrid });
    const cancelSuspicion = watchForSilence(startedAt);
    if (isConfirming(standing())) plan();
    const settled = await attempt.settled;
    cancelSuspicion();
    lingering.add(attempt);
    void attempt.ended.then(() => {
      active.delete(attempt);
      lingering.delete(attempt);
      plan();
    });
    if (settled && !stopped) conclude(settled, onGrid);
  }

  function watchForSilence(startedAt: number): Cancel {
    const after = habits.suspectAfterMs();
    if (after === null || isConfirming(standing())) return () => {};
    return clock.schedule(startedAt + after, () => {
      suspected = true;
      if (isConfirming(standing()) && !queued && lingering.size === 0)
        scheduleAt({ due: clock.now(), onGrid: false });
    });
  }

  function reasons(): Reasons {
    return {
      doubt: vigil.doubt(),
      flapping: health.flaps.flapping,
      purpose: target.purpose,
      ...surroundings(),
    };
  }

  function conclude(seen: Attempt, regular: boolean): void {
    const attempt = excused(seen, vigil.lapses());
    last = attempt;
    suspected = false;
    const why = reasons();
    const given = circumstancesOf(why, {
      target: name,
      rules: habits.rules(),
      slowMs: habits.slowMs(),
      regular,
      at: clock.wallTime(),
    });
    if (attempt.outcome.status === 'void' && attempt.outcome.shortage) vigil.note('shortage');
    const before = health;
    const judgement = judge(before, attempt, given);
    ({ health } = judgement);
    const clear = !given.unreachable && !given.hushed && given.doubt.score === 0;
    const chosen = habits.see({ attempt, before, after: health, regular, clear }, clock.now());
    // On another grid nothing was missed of the old one.
    if (chosen) latest = { ...latest, onGrid: false };
    const { held } = judgement;
    observer.onAttempt(target, attempt, health, held && whyHeld(held, why), given);
    if (judgement.transition) observer.onTransition(target, judgement.transition);
    for (const news of judgement.news) observer.onNews(target, news);
    if (chosen) observer.onContract(target, chosen);
    observer.onConcluded(target, attempt, health);
  }

  function standing(): Standing {
    const now = clock.now();
    const { score, doubtful } = vigil.doubt();
    return {
      name,
      rules: habits.rules(),
      health,
      suspected,
      held: doubtful || options.isUnreachable(),
      stretch: score + 1,
      active: active.size,
      latest,
      epoch,
      now,
    };
  }

  function plan(): void {
    if (stopped || queued) return;
    cancelDue();
    planned = null;
    // A probe that ignores its signal has given its place back, but nothing new starts before it has ended.
    const next = lingering.size > 0 ? null : nextStart(standing());
    if (asked && active.size === 0) return scheduleAt({ due: clock.now(), onGrid: false });
    if (!next) return;
    const skipped =
      next.onGrid && latest.onGrid
        ? startsBetween(name, habits.rules().intervalMs, epoch, latest.due, next.due)
        : 0;
    if (skipped > 0) {
      missed += skipped;
      observer.onMissed(target, skipped);
    }
    scheduleAt(next);
  }

  function view(): View {
    return {
      target: habits.chosen() ? { ...target, rules: habits.rules() } : target,
      health,
      reasons: reasons(),
      slowMs: habits.slowMs(),
      at: clock.wallTime(),
      standing: standing(),
      pending: [...active].flatMap(([attempt, pending]) => (lingering.has(attempt) ? [] : [pending])),
      planned,
      suspectAfterMs: habits.suspectAfterMs(),
      chosen: habits.chosen(),
      attempts,
      missed,
    };
  }

  return {
    target,
    start() {
      if (stopped) return;
      const chosen = habits.chosen();
      if (chosen) observer.onContract(target, chosen);
      scheduleAt({ due: firstDue(name, habits.rules().intervalMs, epoch, clock.now()), onGrid: true });
    },
    forgive() {
      health = forgiven(health);
      habits.forgive();
    },
    ask() {
      asked = true;
      plan();
    },
    async stop() {
      stopped = true;
      cancelDue();
      for (const attempt of active.keys()) attempt.cancel();
      await Promise.all([...active.keys()].map(({ ended }) => ended));
    },
    health: () => health,
    memory: () => ({ health, attempts, missed, ...habits.learned() }),
    snapshot: () => snapshotOf(view(), last),
    view,
  };
}
