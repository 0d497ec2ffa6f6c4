import { probes } from '../../probes/index.ts';
import { type Config, loadConfig } from '../config/load.ts';
import type { Hook, HookRegistry } from '../core/hook.ts';
import type { StepKind, StepRegistry } from '../core/step.ts';
import { hooks } from '../hooks/index.ts';
import { steps } from '../steps/index.ts';

/** The configuration of these files, with all that is built in. Throws ConfigError. */
export function load(files: readonly string[]): Config {
  return loadConfig(files, { probes, hooks, steps, env: process.env });
}

/** Brings in what these hooks and steps take. */
export async function prepare({ hooks: told, recovery }: Pick<Config, 'hooks' | 'recovery'>): Promise<void> {
  const kinds: (Hook | StepKind | undefined)[] = [
    ...[...told.values()].map(({ kind }) => (hooks as HookRegistry)[kind]),
    ...[...recovery.ladders.values()].flat().map(({ kind }) => (steps as StepRegistry)[kind]),
  ];
  await Promise.all(kinds.map(async (kind) => await kind?.load?.()));
}
