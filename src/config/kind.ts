import { z } from 'zod';
import type { HookRegistry } from '../core/hook.ts';
import type { StepRegistry } from '../core/step.ts';
import { suggest } from '../core/suggest.ts';
import type { Problem } from './problem.ts';
import type { Sourced } from './validate.ts';

/** The one kind of probe, hook or step that a mapping has; a problem where it has none or several. */
export function onlyKind(
  what: 'probe' | 'hook' | 'step',
  kinds: readonly string[],
  { source, path, data }: Sourced,
  problems: Problem[],
): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const keys = Object.keys(data);
  const [kind, ...others] = keys.filter((key) => kinds.includes(key));
  for (const other of others) {
    problems.push({
      place: source.locate([...path, other], 'key'),
      message: `one ${what} too many: there is ${kind} already`,
    });
  }
  if (kind !== undefined) return others.length === 0 ? kind : undefined;
  // A mistyped kind has been told as an unknown key.
  if (keys.some((key) => suggest(key, kinds) !== undefined)) return undefined;
  problems.push({
    place: source.locate(path),
    message: `there is no ${what}; add one of ${kinds.join(', ')}`,
  });
  return undefined;
}

/** A key for each kind. */
export function optionalKeys(
  registry: Readonly<Record<string, { readonly settings: z.ZodType }>>,
  meaning: (kind: string) => string,
) {
  return Object.fromEntries(
    Object.entries(registry).map(([kind, { settings }]) => [
      kind,
      settings.optional().describe(meaning(kind)),
    ]),
  ) as Record<string, z.ZodOptional<z.ZodType>>;
}

/** A mapping may be meant to tell or to act; only its use shows. */
export function eitherKind(hooks: HookRegistry, steps: StepRegistry): HookRegistry {
  const merged = { ...hooks } as Record<string, HookRegistry[string]>;
  for (const [kind, step] of Object.entries(steps)) {
    const hook = hooks[kind];
    const settings = hook ? z.union([hook.settings, step.settings]) : step.settings;
    merged[kind] = { ...(hook ?? step), settings } as HookRegistry[string];
  }
  return merged;
}
