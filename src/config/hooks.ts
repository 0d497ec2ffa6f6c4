import type { HookRegistry, HookSpec } from '../core/hook.ts';
import { suggest } from '../core/suggest.ts';
import type { Problem } from './problem.ts';
import { hookSchema } from './schema.ts';
import { type Sourced, validate } from './validate.ts';

/** The hooks by name; without `on`, a hook runs on both events where it notifies, and on `down` where it recovers. */
export function loadHooks(
  entries: readonly Sourced[],
  registry: HookRegistry,
  problems: Problem[],
): Map<string, HookSpec> {
  const schema = hookSchema(registry);
  const hooks = new Map<string, HookSpec>();
  const kinds = Object.keys(registry);
  const seen = new Map<string, Sourced>();
  for (const entry of entries) {
    const name = String(entry.path.at(-1));
    const earlier = seen.get(name);
    if (earlier) {
      problems.push({
        place: entry.source.locate(entry.path, 'key'),
        message: `the hook "${name}" is declared in ${earlier.source.file} already`,
      });
    }
    seen.set(name, entry);
    const checked = validate(schema, entry, problems);
    const kind = onlyKind('hook', kinds, entry, problems);
    if (!checked || !kind) continue;
    const { defaults } = registry[kind]!;
    hooks.set(name, {
      name,
      kind,
      settings: (checked as Record<string, unknown>)[kind],
      on: checked.on ?? null,
      timeoutMs: checked.timeout ?? defaults.timeoutMs,
      retries: checked.retries ?? defaults.retries,
    });
  }
  return hooks;
}

/** The one kind of probe or hook that a mapping has; a problem where it has none or several. */
export function onlyKind(
  what: 'probe' | 'hook',
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
