import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProbeRegistry } from '../core/probe.ts';
import { type Redact, createRedactor } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import { type SourceFile, parseSource } from './document.ts';
import { ConfigError, type Place, tidy } from './problem.ts';
import { writtenSecrets } from './secrecy.ts';
import { loadTargets } from './targets.ts';

/** A probe that stands on the command line instead of in a file. */
export interface AdHoc {
  readonly kind: string;
  /** What a problem names as its place: `--http`. */
  readonly option: string;
  readonly text: string;
  /** What the text says, where it is not YAML. */
  readonly data?: unknown;
}

export interface AdHocTarget {
  readonly target: Target;
  /** The settings in the user's own words. */
  readonly written: unknown;
  readonly redact: Redact;
}

/** A target of that one probe, all else by default. Throws ConfigError with every problem of its settings. */
export function loadAdHoc(
  adHoc: AdHoc,
  {
    probes,
    env,
  }: { readonly probes: ProbeRegistry; readonly env: Readonly<Record<string, string | undefined>> },
): AdHocTarget {
  const { kind, option } = adHoc;
  const own = sourceOf(adHoc, env);
  const redact = createRedactor(own.secrets);
  const above = ['targets', 0, kind];
  const source: SourceFile = {
    ...own,
    locate: (path, what) => own.locate(path.slice(above.length), what),
  };
  const problems = [...own.problems];
  const entry = { source, path: ['targets', 0], data: { name: kind, [kind]: own.data } };
  const loaded =
    problems.length > 0
      ? undefined
      : loadTargets({
          warnings: [],
          targets: [entry],
          defaults: undefined,
          confirm: {},
          probes,
          hooks: { misuse: () => undefined },
          problems,
        });
  const [target] = loaded?.targets ?? [];
  if (!target) throw new ConfigError(tidy(problems, [option], redact));
  return { target, written: own.data, redact };
}

function sourceOf(
  { kind, option, text, data }: AdHoc,
  env: Readonly<Record<string, string | undefined>>,
): SourceFile {
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  if (data === undefined) return parseSource(option, text, { env, readFile }, ['targets', kind]);
  const place: Place = { file: option, line: 1, column: 1, text, width: Math.max(1, text.length) };
  return {
    file: option,
    dir: resolve('.'),
    data,
    problems: [],
    secrets: writtenSecrets(data, ['targets', kind]),
    locate: () => place,
  };
}
