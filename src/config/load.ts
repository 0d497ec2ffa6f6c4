import { readFileSync } from 'node:fs';
import { type HostPort, formatAddress, formatEndpoint } from '../core/address.ts';
import type { Group } from '../core/group.ts';
import type { HookSpec } from '../core/hook.ts';
import type { Maintenance } from '../core/pause.ts';
import type { PublishSettings } from '../core/publication.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import { type Redact, createRedactor } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import { formatDuration } from '../core/units.ts';
import { type AnchorChoice, anchorTargets } from './anchors.ts';
import { type ApiConfig, apiConfig } from './api.ts';
import { type SourceFile, parseSource } from './document.ts';
import { readTexts } from './files.ts';
import { loadGroups } from './groups.ts';
import { type HookKinds, loadHooks } from './hooks.ts';
import { loadMaintenance } from './maintenance.ts';
import { loadPublish } from './publish.ts';
import { ConfigError, type Problem, position, tidy } from './problem.ts';
import { type RecoverySettings, type WrittenBrakes, recoverySettings, wordsOfRecovery } from './recovery.ts';
import { PER_HOOK, STOP_GRACE_MS, defaultsSchema, fileSchema } from './schema.ts';
import { LISTEN, statePath } from './whereabouts.ts';
import { loadTargets } from './targets.ts';
import { type Sourced, validate } from './validate.ts';

/** Everything that the files say, decided. */
export interface Config {
  readonly targets: readonly Target[];
  readonly hooks: ReadonlyMap<string, HookSpec>;
  readonly recovery: RecoverySettings;
  /** All that targets are in. */
  readonly groups: readonly Group[];
  readonly maintenance: readonly Maintenance[];
  /** Where consumers look for the nodes that are available. */
  readonly publish: PublishSettings;
  /** What the file leaves open is made to fit its targets. */
  readonly concurrency: { readonly total?: number; readonly perHost?: number; readonly perHook: number };
  /** How long hooks may go on after the agent was told to stop, ms. */
  readonly stopGraceMs: number;
  /** What answers while the agent's own network works: targets without verdicts. */
  readonly anchors: readonly Target[];
  /** Where beats are taken, if any target sends them. */
  readonly listen: HostPort;
  /** The file in which state is kept; null: none is. */
  readonly state: string | null;
  readonly api: ApiConfig;
  /** Masks what came from `${VAR}` and `${file:PATH}`. */
  readonly redact: Redact;
  /** What is no mistake, and should be known. */
  readonly warnings: readonly Problem[];
  /** The files and directories that it came from, as the user named them. */
  readonly paths: readonly string[];
  /** The configuration in the user's own words, merged and expanded; secrets are still in it. */
  readonly merged: Readonly<Record<string, unknown>>;
}

export interface LoadOptions extends HookKinds {
  readonly probes: ProbeRegistry;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reads and checks YAML files and directories. Throws ConfigError with every problem of every file. */
export function loadConfig(paths: readonly string[], { probes, hooks, steps, env }: LoadOptions): Config {
  const problems: Problem[] = [];
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  const sources = readTexts(paths, problems).map(({ file, text }) =>
    parseSource(file, text, { env, readFile }),
  );
  const redact = createRedactor(sources.flatMap(({ secrets }) => secrets));
  for (const source of sources) problems.push(...source.problems);

  const files = sources
    .filter(({ data }) => data !== undefined)
    .map((source) => ({ source, keys: validateFile(source, problems) }));
  const defaults = onlyOne('defaults', files, problems);
  const concurrency = onlyOne('concurrency', files, problems);
  const stopGrace = onlyOne('stop_grace', files, problems);
  const written = onlyOne('listen', files, problems);
  const writtenState = onlyOne('state', files, problems);
  const api = apiConfig(onlyOne('api', files, problems), problems);

  const confirm = onlyOne('confirm', files, problems);
  const anchors = onlyOne('anchors', files, problems);

  const recovery = onlyOne('recovery', files, problems);

  const checkedDefaults = defaults && validate(defaultsSchema, defaults, problems);
  const kinds = { hooks, steps, remindMs: checkedDefaults?.remind };
  const loadedHooks = loadHooks(entriesOf('hooks', files), kinds, problems);
  const warnings: Problem[] = [];
  const loaded = loadTargets({
    warnings,
    confirm: confirm?.data ?? {},
    targets: entriesOf('targets', files),
    defaults: defaults && {
      ...defaults,
      data: checkedDefaults && defaults.data,
    },
    probes,
    hooks: loadedHooks,
    problems,
  });
  const groups = loadGroups(entriesOf('groups', files), [...loaded.written.values()], loadedHooks, problems);
  const maintenance = loadMaintenance(
    entriesOf('maintenance', files),
    loaded.written,
    groups,
    redact,
    problems,
  );
  const publish = loadPublish(entriesOf('publish', files), groups, loaded.targets, problems);
  if (sources.length > 0) refuseEmpty(files, problems);
  if (problems.length > 0) {
    const names = sources.map(({ file }) => file);
    throw new ConfigError(tidy(withoutEchoes(problems, sources), names, redact));
  }

  const bounds = { per_hook: PER_HOOK, ...(concurrency?.data as WrittenConcurrency | undefined) };
  const stopGraceMs = (stopGrace?.data as number | undefined) ?? STOP_GRACE_MS;
  const settings = recoverySettings((recovery?.data ?? {}) as WrittenBrakes, loadedHooks.ladders);
  const choice = anchors?.data as AnchorChoice;
  const listen = (written?.data as HostPort | undefined) ?? LISTEN;
  const state = writtenState ? (writtenState.data as string | null) : statePath(env);
  return {
    targets: loaded.targets,
    hooks: loadedHooks.hooks,
    recovery: settings,
    groups,
    maintenance,
    publish,
    concurrency: {
      ...(bounds.total !== undefined && { total: bounds.total }),
      ...(bounds.per_host !== undefined && { perHost: bounds.per_host }),
      perHook: bounds.per_hook,
    },
    stopGraceMs,
    listen,
    state,
    api,
    anchors: anchorTargets(choice, loaded.targets, { probes, readSystem: readFile }),
    redact,
    warnings: tidy(
      warnings,
      sources.map(({ file }) => file),
      redact,
    ),
    paths,
    merged: {
      concurrency: bounds,
      stop_grace: formatDuration(stopGraceMs),
      anchors: choice ? choice.map(formatAddress) : 'auto',
      listen: formatAddress(listen),
      state: state ?? 'off',
      api: {
        listen: api.listen ? formatEndpoint(api.listen) : 'off',
        ...(api.token !== undefined && { token: api.token }),
      },
      recovery: wordsOfRecovery(settings),
      hooks: byName(entriesOf('hooks', files)),
      groups: byName(entriesOf('groups', files)),
      maintenance: entriesOf('maintenance', files).map(({ data }) => data),
      publish: entriesOf('publish', files).map(({ data }) => data),
      targets: loaded.merged,
    },
  };
}

function byName(entries: readonly Sourced[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(({ path, data }) => [String(path.at(-1)), data]));
}

interface WrittenConcurrency {
  readonly total?: number;
  readonly per_host?: number;
  readonly per_hook?: number;
}

/** A scalar whose reference failed is empty: what its emptiness breaks is not told beside it. */
function withoutEchoes(problems: readonly Problem[], sources: readonly SourceFile[]): Problem[] {
  const causes = sources.flatMap((source) => source.problems);
  const places = new Set(causes.map(({ place }) => position(place)));
  return problems.filter((problem) => causes.includes(problem) || !places.has(position(problem.place)));
}

interface ConfigFile {
  readonly source: SourceFile;
  readonly keys: Partial<Record<string, unknown>>;
}

function validateFile(source: SourceFile, problems: Problem[]): ConfigFile['keys'] {
  // An empty document is a file in which everything is commented out.
  const data = source.data ?? {};
  const checked = validate(fileSchema, { source, path: [], data }, problems);
  return checked ?? (typeof data === 'object' && !Array.isArray(data) ? { ...data } : {});
}

/** A key that holds for all files and so may stand in one of them. */
function onlyOne(key: string, files: readonly ConfigFile[], problems: Problem[]): Sourced | undefined {
  const [first, ...others] = files.filter(({ keys }) => keys[key] !== undefined);
  for (const { source } of others) {
    problems.push({
      place: source.locate([key], 'key'),
      message: `${key} holds for all files, and is set in ${first!.source.file} already`,
    });
  }
  return first && { source: first.source, path: [key], data: first.keys[key] };
}

/** The members of a list or mapping that may stand in every file. */
function entriesOf(
  key: 'hooks' | 'targets' | 'groups' | 'maintenance' | 'publish',
  files: readonly ConfigFile[],
): Sourced[] {
  return files.flatMap(({ source, keys }) => {
    const value = keys[key];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).map(([step, data]) => ({
      source,
      path: [key, Array.isArray(value) ? Number(step) : step],
      data: data as unknown,
    }));
  });
}

function refuseEmpty(files: readonly ConfigFile[], problems: Problem[]): void {
  for (const { source, keys } of files) {
    if (Array.isArray(keys['targets']) && keys['targets'].length === 0) {
      problems.push({ place: source.locate(['targets'], 'key'), message: 'the list of targets is empty' });
    }
  }
  const [first] = files;
  if (first && files.every(({ keys }) => keys['targets'] === undefined) && problems.length === 0) {
    problems.push({ place: first.source.locate([]), message: 'there are no targets' });
  }
}
