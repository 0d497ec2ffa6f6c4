import { parseArgs, type ParseArgsConfig } from 'node:util';
import { suggest } from '../core/suggest.ts';

/** The command line is wrong; its message says how. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>
>;

/** node:util's parseArgs, with its errors as usage errors. */
export function parse<const T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = (error as Error).message.replace(/\. To specify a positional.*$/s, '');
    const near = suggest(/^Unknown option '--([^']+)'$/.exec(message)?.[1] ?? '', Object.keys(options));
    const isUnknown = message.startsWith('Unknown option');
    const hint =
      near === undefined
        ? isUnknown && '; a NAME that begins with "-" comes last, behind "--"'
        : `; did you mean "--${near}"?`;
    throw new UsageError(message + (hint || ''));
  }
}

/** The files that a command works on: at least one. */
export function someFiles(positionals: readonly string[]): readonly string[] {
  if (positionals.length === 0) throw new UsageError('name a YAML file, or a directory of them');
  return positionals;
}
