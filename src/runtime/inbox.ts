import {
  type Beat,
  type BeatMessage,
  type BeatReader,
  type BeatVerdict,
  following,
  staleBecause,
} from '../core/beat.ts';
import type { Clock } from '../core/clock.ts';

export interface BeatSource {
  readonly name: string;
  /** After so long without a beat it has been missed, ms. */
  readonly windowMs: number;
}

/** The last beat of each target that sends them. */
export interface Inbox extends BeatReader {
  /** Beats of exactly these are taken from now on; what is known of those that stay is kept. */
  expect(sources: readonly BeatSource[]): void;
  /** Nobody could reach us until now: a new address is listened on. */
  listenAnew(): void;
  take(name: string, message: BeatMessage): BeatVerdict;
}

interface Entry {
  windowMs: number;
  since: number;
  last?: Beat;
}

export function createInbox(clock: Pick<Clock, 'now'>): Inbox {
  const entries = new Map<string, Entry>();
  return {
    expect(sources) {
      const names = new Set(sources.map(({ name }) => name));
      for (const name of entries.keys()) if (!names.has(name)) entries.delete(name);
      for (const { name, windowMs } of sources) {
        const entry = entries.get(name);
        if (entry) entry.windowMs = windowMs;
        else entries.set(name, { windowMs, since: clock.now() });
      }
    },
    listenAnew() {
      for (const entry of entries.values()) entry.since = clock.now();
    },
    take(name, message) {
      const entry = entries.get(name);
      if (!entry) return 'unknown';
      const at = clock.now();
      // Whoever comes back after it was missed may have lost its count.
      const before = entry.last && at - entry.last.at <= entry.windowMs ? entry.last : undefined;
      const why = staleBecause(before, message);
      if (why !== undefined) return { taken: false, why };
      entry.last = following(before, { ...message, at });
      return { taken: true };
    },
    look: (name) => entries.get(name),
  };
}
