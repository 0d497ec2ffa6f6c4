import type { Detector } from './detector.ts';
import { type FaultKind, type Noise, createWorld } from './world.ts';
import { randomFrom } from '../../test/support/random.ts';

export const REGIMES = {
  'loss 1%': { loss: 0.01 },
  'loss 20%': { loss: 0.2 },
  'bursts 6/h 1.5s': { bursts: { perHour: 6, meanMs: 1_500 } },
  'bursts 2/h 5s': { bursts: { perHour: 2, meanMs: 5_000 } },
  'stalls 4/h 2s': { stalls: { perHour: 4, meanMs: 2_000 } },
} as const satisfies Record<string, Noise>;
export type Regime = keyof typeof REGIMES;

export const FAULTS = ['crash', 'error', 'hang', 'dead host'] as const satisfies FaultKind[];

const HOURS_A_YEAR = 8_766;

export interface Row {
  readonly name: string;
  /** Attempts a second, with 1 % of the packets lost. */
  readonly load: number;
  /** From the fault to the verdict, ms, in order. */
  readonly detection: Readonly<Record<FaultKind, readonly number[]>>;
  /** Verdicts of down without a fault, per target and year. */
  readonly falseDowns: Readonly<Record<Regime, number>>;
}

/** `hours` of each noise regime, and so many faults of each kind. */
export function row(detector: Detector, hours: number, faults = 5_000): Row {
  const untilMs = hours * 3_600_000;
  const falseDowns: Partial<Record<Regime, number>> = {};
  let load = 0;
  for (const [regime, noise] of Object.entries(REGIMES) as [Regime, Noise][]) {
    const world = createWorld(noise, hours, 7);
    const watched = detector.watch({ world, random: randomFrom(11), untilMs });
    falseDowns[regime] = (watched.falseDowns * HOURS_A_YEAR) / hours;
    if (regime === 'loss 1%') load = watched.attempts / (hours * 3_600);
  }
  return {
    name: detector.name,
    load,
    detection: {
      crash: detections(detector, 'crash', faults),
      error: detections(detector, 'error', faults),
      hang: detections(detector, 'hang', faults),
      'dead host': detections(detector, 'dead host', faults),
    },
    falseDowns: falseDowns as Row['falseDowns'],
  };
}

export function detections(detector: Detector, kind: FaultKind, faults: number): number[] {
  const world = createWorld({}, 1, 5);
  const random = randomFrom(3);
  const times = Array.from({ length: faults }, () => {
    const fault = { kind, at: 300_000 + random() * 60_000 };
    return detector.watch({ world, random, untilMs: Infinity, fault }).detectedMs!;
  });
  return times.toSorted((a, b) => a - b);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Markdown, a column for each rule: detection as mean/p99 in seconds, false downs per target and year. */
export function table(rows: readonly Row[]): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const detected = (kind: FaultKind): string[] =>
    rows.map(
      ({ detection: { [kind]: times } }) => `${seconds(mean(times))}/${seconds(percentile(times, 0.99))}`,
    );
  const falsely = (regime: string): string[] =>
    rows.map(({ falseDowns }) => rounded(falseDowns[regime as Regime]));
  const lines = [
    ['', ...rows.map(({ name }) => name)],
    ['---', ...rows.map(() => '---')],
    ['probes/s', ...rows.map(({ load }) => load.toFixed(2))],
    ...FAULTS.map((kind) => [kind, ...detected(kind)]),
    ...Object.keys(REGIMES).map((regime) => [regime, ...falsely(regime)]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rounded(count: number): string {
  return count.toFixed(count > 0 && count < 20 ? 1 : 0);
}
