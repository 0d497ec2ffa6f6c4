import type { Cancel, Clock } from '../core/clock.ts';
import { type Health, isPending, judge } from '../core/health.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import type { Attempt } from '../core/outcome.ts';
import type { Probe } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import { firstDue, nextDue, startsBetween } from '../core/schedule.ts';
import type { Target } from '../core/target.ts';
import { type RunningAttempt, startAttempt } from './attempt.ts';
import type { Limiter } from './limiter.ts';

/** One target's loop: due -> place -> attempt -> judgement -> observers, and when it is due again. */
export interface Monitor {
  readonly target: Target;
  start(): void;
  /** Ends the loop; an attempt under way has no outcome. Resolves when its probe has really ended. */
  stop(): Promise<void>;
  health(): Health;
  snapshot(): MonitorSnapshot;
}

export interface MonitorSnapshot {
  readonly target: string;
  readonly health: Health;
  readonly unreachable: boolean;
  readonly attempts: number;
  readonly missed: number;
  readonly last: Attempt | undefined;
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
  /** Whether a target that this one depends on is not up. */
  readonly isUnreachable: () => boolean;
  readonly initial: Pick<MonitorSnapshot, 'health' | 'attempts' | 'missed'>;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { target, probe, clock, limiter, observer, redact, epoch, isUnreachable } = options;
  const { name, rules } = target;
  let { health, attempts, missed } = options.initial;
  let last: Attempt | undefined;
  let stopped = false;
  let cancelDue: Cancel = () => {};
  let current: RunningAttempt | undefined;

  /** `onGrid`: one of the regular starts, which can be missed; attempts while a change is pending are extra. */
  function scheduleAt(due: number, onGrid: boolean): void {
    cancelDue = clock.schedule(due, () => {
      // A bug here must end neither the agent nor, in silence, the watch over one target.
      round(due, onGrid).catch((error: unknown) => {
        observer.onTrouble('monitor', stackOf(error));
        if (!stopped) scheduleNext(due, false, due);
      });
    });
  }

  async function round(due: number, onGrid: boolean): Promise<void> {
    const startedAt = await limiter.run(target.host, () => attemptOnce(due));
    // A probe that ignored its signal has given its place back, but its target starts nothing new before it has ended.
    await current?.ended;
    current = undefined;
    if (!stopped) scheduleNext(due, onGrid, startedAt);
  }

  /** Holds its place until the outcome. Returns when the attempt started, monotonic ms. */
  async function attemptOnce(due: number): Promise<number> {
    const startedAt = clock.now();
    if (stopped) return startedAt;
    attempts++;
    observer.onStart(target, startedAt - due);
    current = startAttempt({ target, probe, number: attempts, clock, redact, onTrouble: observer.onTrouble });
    const attempt = await current.settled;
    if (attempt && !stopped) conclude(attempt);
    return startedAt;
  }

  function conclude(attempt: Attempt): void {
    last = attempt;
    const judgement = judge(health, attempt, {
      target: name,
      rules,
      unreachable: isUnreachable(),
      at: clock.wallTime(),
    });
    ({ health } = judgement);
    observer.onAttempt(target, attempt, health);
    if (judgement.transition) observer.onTransition(target, judgement.transition);
  }

  function scheduleNext(due: number, onGrid: boolean, startedAt: number): void {
    const now = clock.now();
    if (isPending(health.state) && !isUnreachable()) {
      scheduleAt(Math.max(now, startedAt + rules.retryIntervalMs), false);
      return;
    }
    const next = nextDue(name, rules.intervalMs, epoch, Math.max(now, due));
    const skipped = onGrid ? startsBetween(name, rules.intervalMs, epoch, due, next) : 0;
    if (skipped > 0) {
      missed += skipped;
      observer.onMissed(target, skipped);
    }
    scheduleAt(next, true);
  }

  return {
    target,
    start() {
      if (!stopped) scheduleAt(firstDue(name, rules.intervalMs, epoch, clock.now()), true);
    },
    async stop() {
      stopped = true;
      cancelDue();
      current?.cancel();
      await current?.ended;
    },
    health: () => health,
    snapshot: () => ({ target: name, health, unreachable: isUnreachable(), attempts, missed, last }),
  };
}
