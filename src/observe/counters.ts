import type { BeatReport } from '../core/beat.ts';
import type { Observer } from '../core/observer.ts';
import type { Status } from '../core/outcome.ts';

/** What the agent has done since it started. */
export interface Totals {
  readonly attempts: Readonly<Record<Status, number>>;
  /** Starts that were skipped because the attempt before was still under way. */
  readonly missed: number;
  /** How long after they were due attempts started, ms: whole milliseconds, capped at 10 s. */
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly hooks: { readonly ok: number; readonly failed: number };
  /** What was sent to the listener. */
  readonly beats: Readonly<Record<BeatReport['result'], number>>;
}

const LONGEST_MS = 10_000;

export function createCounters(): Observer & { totals(): Totals } {
  const attempts: Record<Status, number> = { ok: 0, warn: 0, fail: 0, void: 0 };
  const hooks = { ok: 0, failed: 0 };
  const beats = { accepted: 0, ignored: 0, refused: 0 };
  /** How many starts were so many whole milliseconds late. */
  const lateness = new Uint32Array(LONGEST_MS + 1);
  let starts = 0;
  let missed = 0;

  function quantile(share: number): number {
    let left = Math.ceil(starts * share);
    for (let ms = 0; ms <= LONGEST_MS; ms++) {
      left -= lateness[ms]!;
      if (left <= 0) return ms;
    }
    return LONGEST_MS;
  }

  return {
    onStart(_target, latenessMs) {
      starts++;
      lateness[Math.min(LONGEST_MS, Math.max(0, Math.floor(latenessMs)))]!++;
    },
    onAttempt(_target, { outcome }) {
      attempts[outcome.status]++;
    },
    onMissed(_target, count) {
      missed += count;
    },
    onHook({ ok }) {
      hooks[ok ? 'ok' : 'failed']++;
    },
    onBeat({ result }) {
      beats[result]++;
    },
    totals: () => ({
      attempts: { ...attempts },
      missed,
      lateness: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) },
      hooks: { ...hooks },
      beats: { ...beats },
    }),
  };
}
