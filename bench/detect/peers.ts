import type { Detector } from './detector.ts';
import { attempt } from './world.ts';

interface CountingRule {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row. */
  readonly threshold: number;
  /** Between failures while the threshold is not reached; the interval where it is not told. */
  readonly fastIntervalMs?: number;
  /** Start to start; else a whole interval is waited after the end of each attempt. */
  readonly startToStart?: boolean;
}

/** What others do: N failures in a row, whatever they are. By their defaults; docs/detection.md names the sources. */
export const HAPROXY = counting('HAProxy', { intervalMs: 2_000, timeoutMs: 2_000, threshold: 3 });

export const PEERS: readonly Detector[] = [
  HAPROXY,
  counting('HAProxy fastinter 0.5s', {
    intervalMs: 2_000,
    timeoutMs: 1_000,
    threshold: 3,
    fastIntervalMs: 500,
  }),
  counting('Envoy 5s/1s/3', { intervalMs: 5_000, timeoutMs: 1_000, threshold: 3 }),
  counting('Kubernetes 10s/1s/3', { intervalMs: 10_000, timeoutMs: 1_000, threshold: 3, startToStart: true }),
  counting('Gatus 60s/10s/3', { intervalMs: 60_000, timeoutMs: 10_000, threshold: 3, startToStart: true }),
  counting('Uptime Kuma 60s/48s', {
    intervalMs: 60_000,
    timeoutMs: 48_000,
    threshold: 1,
    startToStart: true,
  }),
];

function counting(name: string, rule: CountingRule): Detector {
  const { intervalMs, timeoutMs, threshold, fastIntervalMs = intervalMs, startToStart = false } = rule;
  return {
    name,
    watch({ world, random, untilMs, fault }) {
      let failures = 0;
      let down = false;
      let falseDowns = 0;
      let attempts = 0;
      for (let start = random() * intervalMs; start < untilMs;) {
        attempts++;
        const { said, end } = attempt(world, random, start, timeoutMs, fault);
        failures = said === 'ok' ? 0 : failures + 1;
        if (failures === 0) down = false;
        if (failures === threshold && !down) {
          down = true;
          if (fault && end >= fault.at) return { detectedMs: end - fault.at, falseDowns, attempts };
          falseDowns++;
        }
        const gap = failures > 0 && failures < threshold ? fastIntervalMs : intervalMs;
        start = startToStart ? Math.max(start + gap, end) : end + gap;
      }
      return { falseDowns, attempts };
    },
  };
}
