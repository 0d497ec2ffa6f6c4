import type { Cancel, Clock } from '../core/clock.ts';
import type { Observer } from '../core/observer.ts';
import { type Attempt, classOf } from '../core/outcome.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import { type RunningAttempt, startAttempt } from './attempt.ts';

/**
 * What answers for as long as the agent's own side of the network works: a gateway, a resolver, a host in another zone.
 * They are asked seldom, and every second while targets cannot be reached; they have no state and no incidents.
 */
export interface Anchors {
  /** These from now on. One that was there before keeps what is known of it. */
  apply(targets: readonly Target[]): void;
  /** Something cannot be reached: it has to be known whether that is the agent itself. */
  ask(): void;
  /** False where anchors that used to answer do not do so now; null where they have not been asked lately. */
  pathWorks(): boolean | null;
  stop(): void;
}

export interface AnchorsOptions {
  readonly probes: ProbeRegistry;
  readonly clock: Clock;
  readonly redact: Redact;
  readonly onTrouble: Observer['onTrouble'] & {};
  /** None that used to answer does so any more. */
  readonly onLost: () => void;
}

interface Anchor {
  readonly target: Target;
  /** Monotonic ms of its newest answer: one that has never answered is no anchor yet. */
  answeredAt: number | undefined;
  failures: number;
  attempts: number;
  running: RunningAttempt | undefined;
}

const SELDOM_MS = 60_000;
const OFTEN_MS = 1_000;
/** How long they are asked often after the last wish, ms. */
const ASKED_FOR_MS = 5_000;
/** An answer that is older than this says nothing of now, ms. */
const FRESH_MS = 3_000;
/** One lost packet is no loss of the network. */
const FAILURES = 2;

export function createAnchors({ probes, clock, redact, onTrouble, onLost }: AnchorsOptions): Anchors {
  let anchors: Anchor[] = [];
  let cancel: Cancel = () => {};
  let askedUntil = -Infinity;
  let nextAt = Infinity;

  function counted(): Anchor[] {
    return anchors.filter(({ answeredAt }) => answeredAt !== undefined);
  }
  function areLost(): boolean {
    return counted().length > 0 && counted().every(({ failures }) => failures >= FAILURES);
  }

  function scheduleAt(at: number): void {
    cancel();
    nextAt = at;
    cancel = clock.schedule(at, round);
  }

  function round(): void {
    const now = clock.now();
    for (const anchor of anchors) if (!anchor.running) void attempt(anchor);
    scheduleAt(now + (now < askedUntil || areLost() ? OFTEN_MS : SELDOM_MS));
  }

  async function attempt(anchor: Anchor): Promise<void> {
    const { target } = anchor;
    anchor.attempts++;
    anchor.running = startAttempt({
      target,
      probe: probes[target.probe.kind]!,
      number: anchor.attempts,
      clock,
      redact,
      onTrouble,
    });
    const settled = await anchor.running.settled;
    if (settled) conclude(anchor, settled);
    await anchor.running?.ended;
    anchor.running = undefined;
  }

  function conclude(anchor: Anchor, { outcome }: Attempt): void {
    // Whoever refuses has been reached.
    if (outcome.status === 'ok' || outcome.status === 'warn' || classOf(outcome) === 'explicit') {
      anchor.answeredAt = clock.now();
      anchor.failures = 0;
    } else if (outcome.status === 'fail') {
      anchor.failures++;
      if (areLost()) onLost();
    }
  }

  return {
    apply(targets) {
      const before = new Map(anchors.map((anchor) => [anchor.target.fingerprint, anchor]));
      anchors = targets.map((target) => {
        const known = before.get(target.fingerprint);
        before.delete(target.fingerprint);
        return known ?? { target, answeredAt: undefined, failures: 0, attempts: 0, running: undefined };
      });
      for (const gone of before.values()) gone.running?.cancel();
      if (anchors.length === 0) cancel();
      else if (anchors.some(({ attempts }) => attempts === 0)) scheduleAt(clock.now());
    },
    ask() {
      const now = clock.now();
      askedUntil = now + ASKED_FOR_MS;
      if (anchors.length > 0 && nextAt > now + OFTEN_MS) scheduleAt(now);
    },
    pathWorks() {
      const now = clock.now();
      if (counted().length === 0 || counted().some(({ answeredAt }) => now - answeredAt! <= FRESH_MS))
        return true;
      return now < askedUntil || areLost() ? false : null;
    },
    stop() {
      cancel();
      for (const { running } of anchors) running?.cancel();
    },
  };
}
