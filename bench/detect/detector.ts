import type { Fault, Random, World } from './world.ts';

export interface Watching {
  readonly world: World;
  readonly random: Random;
  /** Watches from 0 until then, ms, or until the fault has been found. */
  readonly untilMs: number;
  readonly fault?: Fault;
}

export interface Watched {
  /** From the fault to the verdict, ms; undefined where there was no fault, or it was not found. */
  readonly detectedMs?: number;
  /** Verdicts of down without a fault. */
  readonly falseDowns: number;
  readonly attempts: number;
}

/** A prober and its rule, in the simulated world. */
export interface Detector {
  readonly name: string;
  watch(watching: Watching): Watched;
}
