import { createHash } from 'node:crypto';
import type { ConfirmWindows } from '../core/evidence.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Target } from '../core/target.ts';
import { askedOf, contractOf, contractWords } from './contract.ts';
import { expanded, hasPlaceholder, withoutEach } from './each.ts';
import type { LoadedHooks } from './hooks.ts';
import { onlyKind } from './kind.ts';
import { checkHookNames, listOf } from './names.ts';
import { type Problem, markedText } from './problem.ts';
import { purposeOf } from './purpose.ts';
import { servesOf } from './publish.ts';
import { policyOf, wordsOfPolicy } from './recovery.ts';
import { defaultsUnder, rulesOf, windowsOf, wordsOf } from './rules.ts';
import { defaultsSchema, targetSchema } from './schema.ts';
import { type Sourced, unknown, validate } from './validate.ts';

export interface LoadTargets {
  readonly targets: readonly Sourced[];
  /** Undefined where there are none. */
  readonly defaults: Sourced | undefined;
  /** What the file says of windows, for every target that does not say otherwise. */
  readonly confirm: Partial<ConfirmWindows>;
  readonly probes: ProbeRegistry;
  readonly hooks: Pick<LoadedHooks, 'misuse'>;
  readonly problems: Problem[];
  /** What is no mistake, and should be known. */
  readonly warnings: Problem[];
}

/** Targets from the entries of `targets:`, and the same in the user's own words with the defaults worked in. */
export function loadTargets(options: LoadTargets): {
  readonly targets: Target[];
  readonly merged: unknown[];
  /** Every target by its name, also one with mistakes, as it is written. */
  readonly written: ReadonlyMap<string, Sourced>;
} {
  const { targets: entries, problems } = options;
  const load = targetLoader(options);
  const targets: Target[] = [];
  const merged: unknown[] = [];
  const names = new Map<string, Sourced>();
  for (const entry of entries.flatMap((written) => expanded(written, problems) ?? mistakesOf(written))) {
    const name = nameOf(entry);
    const earlier = name === undefined ? undefined : names.get(name);
    if (earlier) problems.push(duplicateName(name!, entry, earlier));
    if (name !== undefined) names.set(name, entry);
    const target = load(entry);
    if (!target) continue;
    targets.push(target.target);
    merged.push(target.merged);
  }
  checkDependencies(names, problems);
  return { targets, merged, written: names };

  /** Where `each` itself is wrong, the rest is looked at as it stands; what is to be replaced by `each` is not judged. */
  function mistakesOf(entry: Sourced): [] {
    const found: Problem[] = [];
    targetLoader({ ...options, problems: found })(withoutEach(entry));
    problems.push(...found.filter(({ place }) => !hasPlaceholder(markedText(place))));
    return [];
  }
}

const MOST_SUGGESTIONS = 50;
function nameOf({ data }: Sourced): string | undefined {
  const name = (data as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : undefined;
}

function duplicateName(name: string, { source, path }: Sourced, earlier: Sourced): Problem {
  const { file, line } = earlier.source.locate([...earlier.path, 'name']);
  return {
    place: source.locate([...path, 'name']),
    message: `a target named "${name}" is declared at ${file}:${line} already`,
  };
}

function targetLoader({ defaults, confirm, probes, hooks, problems, warnings }: LoadTargets) {
  const schema = targetSchema(probes);
  const kinds = Object.keys(probes);
  const defaultData = (defaults?.data ?? {}) as Record<string, unknown>;
  const commonPolicy = defaultsSchema.safeParse(defaultData).data ?? {};
  if (defaults) checkHookNames(defaults, hooks, problems);

  return (entry: Sourced): { target: Target; merged: unknown } | undefined => {
    const { source, path, data } = entry;
    const checked = validate(schema, entry, problems);
    const kind = onlyKind('probe', kinds, entry, problems);
    checkHookNames(entry, hooks, problems);
    const written = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
    const told =
      (found: Problem[]) =>
      (key: string, message: string): void => {
        const own = written[key] !== undefined || !defaults;
        const place = own ? source.locate([...path, key]) : defaults.source.locate(['defaults', key]);
        found.push({ place, message });
      };
    const problem = told(problems);
    const asked = askedOf(written, defaultData, problem);
    const schedule = rulesOf(
      written,
      asked ? defaultsUnder(asked, written, defaultData) : defaultData,
      problem,
    );
    if (!checked || !kind || !schedule) return undefined;
    const fixed = { ...schedule, confirm: windowsOf(checked.confirm, confirm) };
    const layers = { written, defaults: defaultData, confirm: [checked.confirm, confirm] };
    const promise = asked && contractOf(asked, fixed, layers, problem, told(warnings));
    const rules = promise?.rules ?? fixed;
    const words = promise
      ? contractWords(wordsOf(rules), promise.contract, { ...defaultData, ...written })
      : wordsOf(rules);
    const settings = (checked as Record<string, unknown>)[kind];
    const peer = probes[kind]!.peer?.(settings);
    const serves = servesOf(checked.serves, peer);
    const notify = listOf(checked.notify ?? defaultData['notify']);
    const recover = listOf(checked.recover ?? defaultData['recover']);
    const purpose = purposeOf(entry, defaults, recover.length > 0, problems);
    const policy = policyOf(checked, commonPolicy);
    const contract = promise?.contract;
    const identity = [source.dir, written, purpose, rules, contract, notify, recover, policy];
    return {
      merged: {
        ...written,
        purpose,
        ...words,
        ...(notify.length > 0 && { notify }),
        ...(recover.length > 0 && { recover, ...wordsOfPolicy(policy) }),
      },
      target: {
        name: checked.name,
        ...(checked.group !== undefined && { group: checked.group }),
        labels: checked.labels,
        purpose,
        probe: { kind, settings },
        probeFingerprint: hash([source.dir, kind, written[kind]]),
        ...(peer && { host: peer.host }),
        serves,
        rules,
        ...(contract && { contract }),
        dependsOn: checked.depends_on,
        notify,
        recover,
        policy,
        fingerprint: hash(identity),
      },
    };
  };
}

function hash(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64');
}

/** Also of targets that have other problems: all are told at once. */
function checkDependencies(entries: ReadonlyMap<string, Sourced>, problems: Problem[]): void {
  const names = [...entries.keys()];
  const settled = new Set<string>();

  function parentsOf(name: string): string[] {
    return listOf((entries.get(name)?.data as { depends_on?: unknown } | undefined)?.depends_on);
  }

  /** The way round, where following dependencies leads back to a target on the way. A stack of our own: chains are long. */
  function cycleFrom(start: string): readonly string[] | undefined {
    const way = [{ name: start, parents: parentsOf(start) }];
    const onWay = new Set([start]);
    for (let top = way.at(-1); top; top = way.at(-1)) {
      const parent = top.parents.shift();
      if (parent === undefined) {
        settled.add(top.name);
        onWay.delete(top.name);
        way.pop();
      } else if (onWay.has(parent)) {
        const names = way.map(({ name }) => name);
        return [...names.slice(names.indexOf(parent)), parent];
      } else if (!settled.has(parent)) {
        onWay.add(parent);
        way.push({ name: parent, parents: parentsOf(parent) });
      }
    }
    return undefined;
  }

  for (const [name, { source, path }] of entries) {
    parentsOf(name).forEach((parent, index, { length }) => {
      if (entries.has(parent)) return;
      const place = source.locate([...path, 'depends_on', ...(length > 1 ? [index] : [])]);
      // To compare every name with every other would take minutes.
      const near = problems.length < MOST_SUGGESTIONS ? names : [];
      problems.push({ place, message: unknown('target', parent, near) });
    });
    const cycle = settled.has(name) ? undefined : cycleFrom(name);
    if (!cycle) continue;
    const place = source.locate([...path, 'depends_on']);
    problems.push({ place, message: `the dependencies go round in a circle: ${cycle.join(' -> ')}` });
    for (const member of cycle) settled.add(member);
  }
}
