import type { ActionRow } from './action.ts';
import type { EvidenceClass } from './outcome.ts';

/** What a step has achieved, by the verdicts of the probes. */
export interface StepEffect {
  readonly step: string;
  readonly runs: number;
  /** Verified successes. */
  readonly recovered: number;
  readonly by_class: readonly ClassEffect[];
  /** It did not help once in its last runs: it is worth no wait. */
  readonly in_vain: boolean;
}

export interface ClassEffect {
  readonly class: EvidenceClass | null;
  readonly runs: number;
  readonly recovered: number;
  /** From the intent to the verdict, of those that helped, ms; null where none did. */
  readonly median_ms: number | null;
}

/** So many runs without a success in a row speak for themselves. */
export const IN_VAIN_RUNS = 5;

/** Of actions, the newest first. Dry runs and what the agent could not tell say nothing of a step. */
export function effectsOf(actions: readonly ActionRow[]): StepEffect[] {
  const judged = actions.filter(
    ({ mode, counted, outcome }) =>
      mode === 'enforce' && counted && (outcome === 'recovered' || outcome === 'failed'),
  );
  return [...grouped(judged, ({ step }) => step)]
    .map(([step, runs]) => ({
      step,
      runs: runs.length,
      recovered: runs.filter(helped).length,
      by_class: [...grouped(runs, (run) => run.class)].map(([cls, those]) => ({
        class: cls,
        runs: those.length,
        recovered: those.filter(helped).length,
        median_ms: median(those.filter(helped).map(({ at, decided }) => decided! - at)),
      })),
      in_vain: runs.length >= IN_VAIN_RUNS && !runs.slice(0, IN_VAIN_RUNS).some(helped),
    }))
    .toSorted((a, b) => (a.step < b.step ? -1 : 1));
}

function helped({ outcome }: ActionRow): boolean {
  return outcome === 'recovered';
}

function grouped<T, K>(things: readonly T[], keyOf: (thing: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const those = groups.get(key);
    if (those) those.push(thing);
    else groups.set(key, [thing]);
  }
  return groups;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.floor((sorted.length - 1) / 2)]!;
}
