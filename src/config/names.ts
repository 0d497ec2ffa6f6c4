import { z } from 'zod';
import { expected, withShortForm } from '../schema/scalars.ts';
import type { Problem } from './problem.ts';
import type { LoadedHooks } from './hooks.ts';
import type { Sourced } from './validate.ts';

export const name = z
  .string({ error: expected('a name') })
  .regex(
    /^[^\u0000-\u001f\u007f]{1,200}$/,
    'a name has 1 to 200 characters, none of them a control character',
  )
  .meta({ as: 'name' });

export const names = withShortForm(['scalar'], (only) => [only], z.array(name)).meta({ as: 'names' });

/** Names, each once: nobody wants to be told twice. */
export function listOf(value: unknown): string[] {
  return value === undefined ? [] : [...new Set(([] as unknown[]).concat(value).map(String))];
}

/** Every name of a hook is one that can be used there. */
export function checkHookNames(
  { source, path, data }: Sourced,
  hooks: Pick<LoadedHooks, 'misuse'>,
  problems: Problem[],
): void {
  if (typeof data !== 'object' || data === null) return;
  for (const key of ['notify', 'recover', 'veto'] as const) {
    const value = (data as Record<string, unknown>)[key];
    if (value === undefined) continue;
    listOf(value).forEach((name, index) => {
      const message = hooks.misuse(key, name);
      if (message === undefined) return;
      const at = Array.isArray(value) ? [...path, key, index] : [...path, key];
      problems.push({ place: source.locate(at), message });
    });
  }
}
