import type { Cancel, Clock } from '../core/clock.ts';
import { type Doubt, NO_DOUBT, type Trouble, calmed, troubled } from '../core/doubt.ts';

/** The agent's watch over itself: whether its own loop runs, its clocks agree, and its network is there. */
export interface Vigil {
  doubt(): Doubt;
  /** What others found out that speaks against the agent. */
  note(trouble: Trouble): void;
  /** Monotonic ms of the newest stall, and of the newest pause or clock step. */
  lapses(): { readonly stalledAt: number; readonly pausedAt: number };
  /** Harmless when repeated. */
  start(): void;
  stop(): void;
}

export interface VigilOptions {
  readonly clock: Clock;
  /** Anchors are lost now: for as long as they are, no second counts as clean. */
  readonly isCutOff: () => boolean;
  /** The agent stood still, or its clock was set: what was under way says nothing. */
  readonly onLapse: () => void;
  /** Doubt has begun, or ended. */
  readonly onDoubt: (doubt: Doubt, because: Trouble | null) => void;
}

const TICK_MS = 100;
/** A tick that is later than this finds a stall of the loop. */
const STALL_MS = 250;
/** Later than this it is no mere stall: the process was stopped, or starved. As in Redis Sentinel. */
const PAUSE_MS = 2_000;
/** The two clocks may differ by so much from tick to tick; beyond it one of them was set, or the host was suspended. */
const STEP_MS = 1_000;

export function createVigil({ clock, isCutOff, onLapse, onDoubt }: VigilOptions): Vigil {
  let doubt = NO_DOUBT;
  let lapses = { stalledAt: -Infinity, pausedAt: -Infinity };
  let cancel: Cancel | undefined;

  function become(next: Doubt, because: Trouble | null): void {
    const changed = next.doubtful !== doubt.doubtful;
    doubt = next;
    if (changed) onDoubt(doubt, because);
  }

  function note(trouble: Trouble): void {
    become(troubled(doubt, trouble, clock.now()), trouble);
  }

  function tick(lastNow: number, lastWall: number): void {
    const now = clock.now();
    const wall = clock.wallTime();
    const late = now - lastNow - TICK_MS;
    const paused = late > PAUSE_MS;
    const stepped = Math.abs(wall - lastWall - (now - lastNow)) > STEP_MS;
    if (late > STALL_MS) lapses = { ...lapses, stalledAt: now };
    if (paused || stepped) {
      lapses = { stalledAt: now, pausedAt: now };
      onLapse();
      note(paused ? 'pause' : 'clock step');
    } else if (late > STALL_MS) note('stall');
    if (isCutOff()) note('anchors lost');
    else become(calmed(doubt, now), null);
    cancel = clock.schedule(now + TICK_MS, () => tick(now, wall));
  }

  return {
    doubt: () => doubt,
    note,
    lapses: () => lapses,
    start() {
      if (cancel) return;
      const now = clock.now();
      const wall = clock.wallTime();
      cancel = clock.schedule(now + TICK_MS, () => tick(now, wall));
    },
    stop: () => cancel?.(),
  };
}
