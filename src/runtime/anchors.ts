import type { Cancel, Clock } from '../core/clock.ts';
import type { Observer } from '../core/observer.ts';
import { type Attempt, classOf } from '../core/outcome.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import { type RunningAttempt, startAttempt } from './attempt.ts';
import { thisHost } from './this-host.ts';

/**
 * What answers for as long as the agent's own side of the network works: a gateway, a resolver, a host in another zone.
 * They are asked seldom, and every second while targets cannot be reached; they have no state and no incidents.
 */
export interface Anchors {
  /** These from now on, beside these targets. One that was there before keeps what is known of it. */
  apply(anchored: readonly Target[], targets: readonly Target[]): void;
  /** Something cannot be reached: it has to be known whether that is the agent itself. */
  ask(): void;
  /** What a target's attempt came to: one that answers over the network vouches for it. */
  see(target: Target, attempt: Attempt): void;
  /** Something cannot be reached, none that used to answer does so any more, and no target has over the network since. */
  areLost(): boolean;
  /** False where anchors that used to answer do not do so now, and no target vouches for the network; null where they have not been asked lately. */
  pathWorks(): boolean | null;
  stop(): void;
}

export interface AnchorsOptions {
  readonly probes: ProbeRegistry;
  readonly clock: Clock;
  readonly redact: Redact;
  readonly onTrouble: Observer['onTrouble'] & {};
}

interface Anchor {
  readonly target: Target;
  /** Monotonic ms of its newest answer: one that has never answered is no anchor yet. */
  answeredAt: number | undefined;
  /** Monotonic ms at which the first attempt in a row that failed had started; undefined where the newest did not. */
  failingSince: number | undefined;
  /** In a row, and since a target last vouched for the network. */
  failures: number;
  attempts: number;
  running: RunningAttempt | undefined;
}

const UNASKED = {
  answeredAt: undefined,
  failingSince: undefined,
  failures: 0,
  attempts: 0,
  running: undefined,
} as const;

const SELDOM_MS = 60_000;
const OFTEN_MS = 1_000;
/** How long they are asked often after the last wish, ms. */
const ASKED_FOR_MS = 5_000;
/** An answer that is older than this says nothing of now, ms. */
const FRESH_MS = 3_000;
/** One lost packet is no loss of the network. */
const FAILURES = 2;

export function createAnchors({ probes, clock, redact, onTrouble }: AnchorsOptions): Anchors {
  let anchors: Anchor[] = [];
  /** Names of targets that only the network leads to. */
  let overNetwork: ReadonlySet<string> = new Set();
  /** Those of them whose newest answer came over the network, and was asked for after all anchors had begun to fail. */
  const vouching = new Set<string>();
  let cancel: Cancel = () => {};
  let askedUntil = -Infinity;
  let nextAt = Infinity;

  function counted(): Anchor[] {
    return anchors.filter(({ answeredAt }) => answeredAt !== undefined);
  }
  /** Monotonic ms from which all of them fail; null where one does not, or there is none. */
  function allFailSince(): number | null {
    const since = counted().map(({ failingSince }) => failingSince ?? Infinity);
    const latest = Math.max(...since);
    return Number.isFinite(latest) ? latest : null;
  }
  function areLost(): boolean {
    const since = allFailSince();
    return (
      since !== null &&
      vouching.size === 0 &&
      // Where targets can speak for the network, one of them has to miss it, too.
      (overNetwork.size === 0 || askedUntil > since) &&
      counted().every(({ failures }) => failures >= FAILURES)
    );
  }
  /** One that is gone for good is asked seldom again, where targets vouch: not at once, it may just have been lost. */
  function spacing(now: number): number {
    const since = allFailSince();
    const isOpen = since !== null && (vouching.size === 0 || now - since < SELDOM_MS);
    return now < askedUntil || isOpen ? OFTEN_MS : SELDOM_MS;
  }

  function scheduleAt(at: number): void {
    cancel();
    nextAt = at;
    cancel = clock.schedule(at, round);
  }

  function round(): void {
    const now = clock.now();
    for (const anchor of anchors) if (!anchor.running) void attempt(anchor);
    scheduleAt(now + spacing(now));
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

  function conclude(anchor: Anchor, attempt: Attempt): void {
    if (hasAnswered(attempt)) {
      anchor.answeredAt = clock.now();
      anchor.failingSince = undefined;
      anchor.failures = 0;
      vouching.clear();
    } else if (attempt.outcome.status === 'fail') {
      anchor.failingSince ??= attempt.startedAt;
      anchor.failures++;
      // The next round was planned before this was known.
      hurry();
    }
  }

  function hurry(): void {
    const now = clock.now();
    const soon = now + spacing(now);
    if (anchors.length > 0 && nextAt > soon) scheduleAt(soon);
  }

  return {
    apply(anchored, targets) {
      const isHere = thisHost();
      overNetwork = new Set(targets.filter(({ host }) => !isHere(host)).map(({ name }) => name));
      for (const name of vouching) if (!overNetwork.has(name)) vouching.delete(name);
      const before = new Map(anchors.map((anchor) => [anchor.target.fingerprint, anchor]));
      anchors = anchored.map((target) => {
        const known = before.get(target.fingerprint);
        before.delete(target.fingerprint);
        return known ?? { target, ...UNASKED };
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
    see({ name }, attempt) {
      const since = allFailSince();
      if (since === null || !overNetwork.has(name)) return;
      if (!hasAnswered(attempt)) {
        if (attempt.outcome.status === 'fail' && vouching.delete(name)) hurry();
      } else if (attempt.startedAt > since) {
        vouching.add(name);
        for (const anchor of anchors) anchor.failures = 0;
      }
    },
    areLost,
    pathWorks() {
      const now = clock.now();
      const answering = counted();
      if (answering.length === 0 || vouching.size > 0) return true;
      if (answering.some(({ answeredAt }) => now - answeredAt! <= FRESH_MS)) return true;
      return now < askedUntil || areLost() ? false : null;
    },
    stop() {
      cancel();
      for (const { running } of anchors) running?.cancel();
    },
  };
}

/** Whoever refuses has been reached. */
function hasAnswered({ outcome }: Attempt): boolean {
  return outcome.status === 'ok' || outcome.status === 'warn' || classOf(outcome) === 'explicit';
}
