import type { HookRegistry, HookSpec } from '../core/hook.ts';
import type { Step, StepRegistry } from '../core/step.ts';
import { termsOf } from './delivery.ts';
import { onlyKind } from './kind.ts';
import { type SingleStep, loadLadder, loadSingle } from './ladders.ts';
import type { Problem } from './problem.ts';
import { hookSchema } from './schema.ts';
import { type Sourced, unknown, validate } from './validate.ts';

/** What is declared under `hooks:`, by what it can be used for. A name may be good for both. */
export interface LoadedHooks {
  /** Those that tell somebody. */
  readonly hooks: ReadonlyMap<string, HookSpec>;
  /** Those that act, step by step. */
  readonly ladders: ReadonlyMap<string, readonly Step[]>;
  /** Why a target cannot name it under that key, if it cannot. */
  misuse(key: 'notify' | 'recover' | 'veto', name: string): string | undefined;
}

export interface HookKinds {
  readonly hooks: HookRegistry;
  readonly steps: StepRegistry;
}

export function loadHooks(
  entries: readonly Sourced[],
  kinds: HookKinds & { readonly remindMs: number | undefined },
  problems: Problem[],
): LoadedHooks {
  const hooks = new Map<string, HookSpec>();
  const ladders = new Map<string, readonly Step[]>();
  const singles = new Map<string, SingleStep>();
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
    if (Array.isArray(entry.data)) {
      ladders.set(name, loadLadder(name, entry, kinds.steps, problems));
      continue;
    }
    const single = loadSingle(name, entry, kinds.steps);
    if (single) singles.set(name, single);
    const found: Problem[] = [];
    const hook = single?.actsOnly(kinds.hooks) ? undefined : loadHook(name, entry, kinds, found);
    if (hook) hooks.set(name, hook);
    // What is wrong with it as a notifier may be right for a step.
    if (!single || single.problems.length > 0) problems.push(...(hook ? [] : found));
    if (single?.actsOnly(kinds.hooks)) problems.push(...single.problems);
    if (single?.problems.length === 0) ladders.set(name, single.steps);
  }

  /** As the only step of a ladder; what is wrong with it is told with its first use. */
  function isSingle(name: string): boolean {
    const single = singles.get(name);
    problems.push(...(single?.problems.splice(0) ?? []));
    return single !== undefined;
  }

  return {
    hooks,
    ladders,
    misuse(key, name) {
      if (!seen.has(name)) return unknown('hook', name, [...seen.keys()]);
      const isList = Array.isArray(seen.get(name)?.data);
      if (key === 'notify') {
        // A hook with mistakes of its own has been told of already.
        if (hooks.has(name) || (!isList && !ladders.has(name))) return undefined;
        return `"${name}" acts and tells nobody: it belongs under recover`;
      }
      if (!isList && !isSingle(name)) {
        return hooks.has(name)
          ? `"${name}" tells somebody and cannot act: it belongs under notify`
          : undefined;
      }
      const isLong = (ladders.get(name)?.length ?? 1) > 1;
      return key === 'veto' && isLong ? `"${name}" has several steps, and a veto is asked of one` : undefined;
    },
  };
}

function loadHook(
  name: string,
  entry: Sourced,
  { hooks, steps, remindMs }: HookKinds & { readonly remindMs: number | undefined },
  problems: Problem[],
): HookSpec | undefined {
  const checked = validate(hookSchema(hooks), entry, problems);
  const kind = onlyKind(
    'hook',
    [...new Set([...Object.keys(hooks), ...Object.keys(steps)])],
    entry,
    problems,
  );
  if (!checked || !kind) return undefined;
  const { defaults } = hooks[kind]!;
  const terms = termsOf(checked, { kind, defaults, remindMs }, entry, problems);
  return (
    terms && {
      name,
      kind,
      settings: (checked as Record<string, unknown>)[kind],
      on: checked.on ?? null,
      ...terms,
    }
  );
}
