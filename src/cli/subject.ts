import { existsSync } from 'node:fs';
import { probes } from '../../probes/index.ts';
import { loadAdHoc } from '../config/ad-hoc.ts';
import { masked } from '../config/secrecy.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import { suggest } from '../core/suggest.ts';
import { duration } from '../schema/scalars.ts';
import { UsageError } from './args.ts';
import { load } from './load.ts';
import type { Subject } from './look.ts';
import { wordsOf } from './words.ts';

export const KINDS: readonly string[] = Object.keys(probes);

/** How a message lists what there is. */
const MOST_NAMED = 12;

export interface Asked {
  readonly positionals: readonly string[];
  /** What stood behind `--http` and its like. */
  readonly adHoc: readonly (readonly [kind: string, text: string])[];
  readonly timeout: string | undefined;
}

/** What the command line means: `NAME FILE...`, the only target of `FILE...`, or `--KIND VALUE`. */
export function subjectOf({ positionals, adHoc, timeout }: Asked): Subject {
  const [first, second] = adHoc;
  if (second)
    throw new UsageError(`one attempt has one probe, and here are --${first![0]} and --${second[0]}`);
  if (first && positionals.length > 0)
    throw new UsageError(`--${first[0]} stands for itself, without a name or file`);
  return withTimeout(first ? fromOption(...first) : fromFiles(positionals), timeout);
}

function withTimeout(subject: Subject, timeout: string | undefined): Subject {
  if (timeout === undefined) return subject;
  const timeoutMs = durationOf('--timeout', timeout);
  return { ...subject, target: { ...subject.target, rules: { ...subject.target.rules, timeoutMs } } };
}

/** The option's duration, ms. */
export function durationOf(option: string, text: string): number {
  const parsed = duration().safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${option}: ${parsed.error.issues[0]!.message}`);
}

/** Braces begin a mapping in YAML; all else is the short form as it stands, for a shell has been over it already. */
function fromOption(kind: string, text: string): Subject {
  const registry: ProbeRegistry = probes;
  const takesList = registry[kind]!.settings.meta()?.short?.includes('list') ?? false;
  const isYaml = /^\s*\{/.test(text) || (takesList && /^\s*\[/.test(text));
  const option = `--${kind}`;
  const { target, written, redact } = loadAdHoc(
    { kind, option, text, ...(!isYaml && { data: takesList ? splitWords(option, text) : text }) },
    { probes, env: process.env },
  );
  return { target, written: masked(written, redact, [kind]), redact };
}

function splitWords(option: string, text: string): string[] {
  const words = wordsOf(text);
  if (!words) throw new UsageError(`${option}: a quote is not closed`);
  return words;
}

function fromFiles(positionals: readonly string[]): Subject {
  const [first, ...rest] = positionals;
  if (first === undefined)
    throw new UsageError('name a target and its file, or a probe such as --tcp HOST:PORT');
  const named = rest.length > 0 && !/\.ya?ml$|\/$/.test(first);
  if (rest.length === 0 && !/[./]/.test(first) && !existsSync(first)) {
    throw new UsageError(`there is no file "${first}"; where it is a target, its file comes behind it`);
  }
  const { targets, merged, redact } = load(named ? rest : positionals);
  const index = named ? indexOf(first, targets) : onlyIndex(targets);
  const target = targets[index]!;
  const words = (merged['targets'] as readonly Record<string, unknown>[])[index]!;
  const { kind } = target.probe;
  return { target, written: masked(words[kind], redact, ['targets', kind]), redact };
}

type Named = readonly { readonly name: string }[];

function indexOf(name: string, targets: Named): number {
  const index = targets.findIndex((target) => target.name === name);
  if (index !== -1) return index;
  const known = targets.map((target) => target.name);
  const near = suggest(name, known);
  throw new UsageError(
    `there is no target "${name}"; ${near === undefined ? `there is ${listed(known)}` : `did you mean "${near}"?`}`,
  );
}

function onlyIndex(targets: Named): number {
  if (targets.length === 1) return 0;
  throw new UsageError(
    `name one of the ${targets.length} targets: ${listed(targets.map(({ name }) => name))}`,
  );
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
