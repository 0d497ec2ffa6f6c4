import { z } from 'zod';
import type { Group } from '../core/group.ts';
import { suggest } from '../core/suggest.ts';
import { formatCount } from '../core/units.ts';
import { duration, integer } from '../schema/scalars.ts';
import type { LoadedHooks } from './hooks.ts';
import { checkHookNames, listOf, names } from './names.ts';
import type { Problem } from './problem.ts';
import { type Sourced, validate } from './validate.ts';

export const groupSchema = z.strictObject({
  at_least: integer(1)
    .optional()
    .meta({ otherwise: 'all of them' })
    .describe('so many of its targets have to be available, or the group is down'),
  drain: duration({ min: 0 })
    .optional()
    .meta({ otherwise: '`0s`' })
    .describe('how long a target is out of traffic before anything is done about it'),
  warm: duration({ min: 0 })
    .optional()
    .meta({ otherwise: '`0s`' })
    .describe('how long a target that was out has to be up again before it is back in traffic'),
  notify: names
    .optional()
    .meta({ as: 'names of hooks' })
    .describe('who hears of it when the group as a whole goes down and comes up'),
});

/** All groups that targets name, with what `groups:` says of them; members are the targets as they are written. */
export function loadGroups(
  entries: readonly Sourced[],
  targets: readonly Sourced[],
  hooks: Pick<LoadedHooks, 'misuse'>,
  problems: Problem[],
): Group[] {
  const members = membersOf(targets);
  const written = new Map<string, z.infer<typeof groupSchema>>();
  const seen = new Map<string, Sourced>();
  for (const entry of entries) {
    const { source, path } = entry;
    const name = String(path.at(-1));
    const earlier = seen.get(name);
    if (earlier) {
      const message = `the group "${name}" is declared in ${earlier.source.file} already`;
      problems.push({ place: source.locate(path, 'key'), message });
    }
    seen.set(name, entry);
    const checked = validate(groupSchema, entry, problems);
    checkHookNames(entry, hooks, problems);
    const count = members.get(name)?.length;
    if (count === undefined) {
      const near = suggest(name, [...members.keys()]);
      const hint = near === undefined ? '' : `; did you mean "${near}"?`;
      const message = `no target is in the group "${name}"${hint}`;
      problems.push({ place: source.locate(path, 'key'), message });
    } else if (checked?.at_least !== undefined && checked.at_least > count) {
      const message = `at least ${checked.at_least} can never be available: the group has ${formatCount(count, 'target')}`;
      problems.push({ place: source.locate([...path, 'at_least']), message });
    }
    if (checked) written.set(name, checked);
  }
  return [...members].map(([name, targets]) => ({
    name,
    members: targets,
    atLeast: written.get(name)?.at_least ?? targets.length,
    notify: listOf(written.get(name)?.notify),
    drainMs: written.get(name)?.drain ?? 0,
    warmMs: written.get(name)?.warm ?? 0,
  }));
}

/** Also of targets that have other mistakes. */
function membersOf(targets: readonly Sourced[]): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const { data } of targets) {
    const { name, group } = data as { readonly name?: unknown; readonly group?: unknown };
    if (typeof name !== 'string' || typeof group !== 'string') continue;
    const known = members.get(group);
    if (known) known.push(name);
    else members.set(group, [name]);
  }
  return members;
}
