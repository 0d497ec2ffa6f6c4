import type { Cancel, Clock } from '../core/clock.ts';
import { type Health, forgiven, judge } from '../core/health.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import { type Attempt, classOf, voided } from '../core/outcome.ts';
import { type NextStart, type Standing, isConfirming, nextStart } from '../core/plan.ts';
import type { Probe } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import { NO_QUANTILE, withSample } from '../core/quantile.ts';
import { firstDue, startsBetween } from '../core/schedule.ts';
import { slowFrom } from '../core/slowness.ts';
import { NO_ESTIMATE, suspicionPoint, withLatency } from '../core/suspicion.ts';
import type { Target } from '../core/target.ts';
import { type RunningAttempt, startAttempt } from './attempt.ts';
import type { Limiter } from './limiter.ts';
import type { Vigil } from './vigil.ts';

/** Nothing judged for so many intervals is old. */
const STALE_INTERVALS = 3;
/** One target's loop: due -> place -> attempt -> judgement -> observers, and when it is due again. */
export interface Monitor {
  readonly target: Target;
  start(): void;
  /** Full grace: whatever speaks against the target up to now counts no more. */
  forgive(): void;
  /** Ends the loop; an attempt under way has no outcome. Resolves when its probe has really ended. */
  stop(): Promise<void>;
  health(): Health;
  snapshot(): MonitorSnapshot;
}

export interface MonitorSnapshot {
  readonly target: string;
  readonly health: Health;
  readonly unreachable: boolean;
  /** Why openings are held back; null where they are not. */
  readonly hushed: string | null;
  /** Nothing was learned of it lately: what is said of it is what was known last. */
  readonly stale: boolean;
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
  /** Why the opening of anything is held back; null where it is not. */
  readonly isHushed: () => string | null;
  readonly vigil: Pick<Vigil, 'doubt' | 'lapses' | 'note'>;
  readonly pathWorks: () => boolean;
  readonly initial: Pick<MonitorSnapshot, 'health' | 'attempts' | 'missed'>;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { target, probe, clock, limiter, observer, redact, epoch, vigil, pathWorks } = options;
  const { isUnreachable, isHushed } = options;
  const { name, rules } = target;
  let { health, attempts, missed } = options.initial;
  let estimate = NO_ESTIMATE;
  let usual = NO_QUANTILE;
  let last: Attempt | undefined;
  let stopped = false;
  let cancelDue: Cancel = () => {};
  /** Under way, or settled by the runner while the probe has not let go yet. */
  const active = new Set<RunningAttempt>();
  let lingering = 0;
  /** An attempt waits for its place. */
  let queued = false;
  /** The answer is late enough to look again, though nothing has failed. */
  let suspected = false;
  let latest = { due: -Infinity, startedAt: -Infinity, onGrid: false };

  function scheduleAt({ due, onGrid }: NextStart): void {
    cancelDue();
    cancelDue = clock.schedule(due, () => {
      // A bug here must end neither the agent nor, in silence, the watch over one target.
      begin(due, onGrid).catch((error: unknown) => {
        observer.onTrouble('monitor', stackOf(error));
        queued = false;
        plan();
      });
    });
  }

  /** Holds its place until the outcome. */
  async function begin(due: number, onGrid: boolean): Promise<void> {
    queued = true;
    await limiter.run(target.host, async () => {
      queued = false;
      if (stopped) return;
      attempts++;
      latest = { due, startedAt: clock.now(), onGrid };
      observer.onStart(target, latest.startedAt - due);
      await follow(
        startAttempt({ target, probe, number: attempts, clock, redact, onTrouble: observer.onTrouble }),
      );
    });
  }

  async function follow(attempt: RunningAttempt): Promise<void> {
    active.add(attempt);
    const { onGrid } = latest;
    const cancelSuspicion = watchForSilence(latest.startedAt);
    if (isConfirming(standing())) plan();
    const settled = await attempt.settled;
    cancelSuspicion();
    lingering++;
    void attempt.ended.then(() => {
      active.delete(attempt);
      lingering--;
      plan();
    });
    if (settled && !stopped) conclude(settled, onGrid);
  }

  function watchForSilence(startedAt: number): Cancel {
    if (rules.suspectAfter === 'off' || isConfirming(standing())) return () => {};
    const after =
      rules.suspectAfter === 'auto' ? suspicionPoint(estimate, rules.timeoutMs) : rules.suspectAfter;
    if (after >= rules.timeoutMs) return () => {};
    return clock.schedule(startedAt + after, () => {
      suspected = true;
      if (isConfirming(standing()) && !queued && lingering === 0)
        scheduleAt({ due: clock.now(), onGrid: false });
    });
  }

  function conclude(seen: Attempt, regular: boolean): void {
    const attempt = excused(seen, vigil.lapses());
    const { outcome, latencyMs } = attempt;
    last = attempt;
    suspected = false;
    const slowMs = slowFrom(rules.slowAfter, usual);
    if (outcome.status === 'ok' || outcome.status === 'warn') {
      estimate = withLatency(estimate, latencyMs);
      // What is slow is not what is usual, however often it comes.
      if (rules.slowAfter === 'auto' && latencyMs <= (slowMs ?? Infinity))
        usual = withSample(usual, latencyMs);
    }
    if (outcome.status === 'void' && outcome.shortage) vigil.note('shortage');
    const judgement = judge(health, attempt, {
      target: name,
      rules,
      slowMs,
      regular,
      unreachable: isUnreachable(),
      hushed: isHushed() !== null,
      doubt: vigil.doubt(),
      pathWorks: pathWorks(),
      at: clock.wallTime(),
    });
    ({ health } = judgement);
    observer.onAttempt(target, attempt, health);
    if (judgement.transition) observer.onTransition(target, judgement.transition);
    for (const news of judgement.news) observer.onNews(target, news);
  }

  function standing(): Standing {
    const now = clock.now();
    const { score, doubtful } = vigil.doubt();
    return {
      name,
      rules,
      health,
      suspected,
      held: doubtful || isUnreachable(),
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
    // A probe that ignores its signal has given its place back, but nothing new starts before it has ended.
    const next = lingering > 0 ? null : nextStart(standing());
    if (!next) return;
    const skipped =
      next.onGrid && latest.onGrid ? startsBetween(name, rules.intervalMs, epoch, latest.due, next.due) : 0;
    if (skipped > 0) {
      missed += skipped;
      observer.onMissed(target, skipped);
    }
    scheduleAt(next);
  }

  return {
    target,
    start() {
      if (!stopped) scheduleAt({ due: firstDue(name, rules.intervalMs, epoch, clock.now()), onGrid: true });
    },
    forgive() {
      health = forgiven(health);
    },
    async stop() {
      stopped = true;
      cancelDue();
      for (const attempt of active) attempt.cancel();
      await Promise.all([...active].map(({ ended }) => ended));
    },
    health: () => health,
    snapshot: () => ({
      target: name,
      health,
      unreachable: isUnreachable(),
      hushed: isHushed(),
      stale: vigil.doubt().doubtful || clock.now() - health.judgedAt > STALE_INTERVALS * rules.intervalMs,
      attempts,
      missed,
      last,
    }),
  };
}

/**
 * A failure that fell into a lapse of the agent's is void: after a stall an answer may have been there in time and not
 * have been read, and while the process or its host stood still anything may have happened to the connection.
 */
function excused(attempt: Attempt, { stalledAt, pausedAt }: ReturnType<Vigil['lapses']>): Attempt {
  const { outcome, startedAt } = attempt;
  if (outcome.status !== 'fail') return attempt;
  const excuse =
    startedAt < pausedAt
      ? 'the agent stood still'
      : startedAt < stalledAt && classOf(outcome) !== 'explicit'
        ? 'the agent was late'
        : undefined;
  return excuse === undefined
    ? attempt
    : { ...attempt, outcome: voided(`our own trouble: ${excuse} (${outcome.reason}: ${outcome.message})`) };
}
