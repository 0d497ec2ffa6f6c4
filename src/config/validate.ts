import type { z } from 'zod';
import { suggest } from '../core/suggest.ts';
import { relativeTo } from '../schema/file.ts';
import type { SourceFile } from './document.ts';
import type { Problem } from './problem.ts';
import type { Path } from './secrecy.ts';

/** Some data with the place that it came from. */
export interface Sourced {
  readonly source: SourceFile;
  readonly path: Path;
  readonly data: unknown;
}

/** What the schema makes of it; undefined where it made problems instead, which it adds to the list. */
export function validate<T>(
  schema: z.ZodType<T>,
  { source, path, data }: Sourced,
  problems: Problem[],
): T | undefined {
  const result = relativeTo(source.dir, () => schema.safeParse(data, { error: plainWords }));
  if (result.success) return result.data;
  const mistyped = new Set(
    result.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, suggest(key, keysAt(schema, issue.path))].join('/'))
        : [],
    ),
  );
  for (const issue of result.error.issues) {
    // It is there, under a mistyped key.
    if (issue.message.endsWith(MISSING) && mistyped.has(issue.path.join('/'))) continue;
    const at = [...path, ...(issue.path as Path)];
    if (issue.code === 'invalid_key') {
      problems.push({ place: source.locate(at, 'key'), message: issue.issues[0]?.message ?? issue.message });
      continue;
    }
    if (issue.code !== 'unrecognized_keys') {
      problems.push({ place: source.locate(at), message: issue.message });
      continue;
    }
    const known = keysAt(schema, issue.path);
    for (const key of issue.keys) {
      problems.push({ place: source.locate([...at, key], 'key'), message: unknown('key', key, known) });
    }
  }
  return undefined;
}

const MISSING = ' is missing';

/** `unknown key "intervall"; did you mean "interval"?` */
export function unknown(what: string, word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return `unknown ${what} "${word}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return `"${String(issue.path?.at(-1) ?? 'value')}"${MISSING}`;
    return `expected ${WORDS[issue.expected] ?? issue.expected}, not ${nameOf(issue.input)}`;
  }
  if (issue.code === 'unrecognized_keys') return 'unknown key';
  return undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  int: 'a whole number',
};

function nameOf(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  return typeof input === 'object' ? 'a mapping' : typeof input === 'string' ? 'text' : `a ${typeof input}`;
}

/** The keys that the mapping at this path may have, as far as the schema can be followed. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrap(schema);
  const [step, ...rest] = path;
  if (inner._zod.def.type !== 'object') {
    const { element, valueType } = inner._zod.def as {
      element?: z.core.$ZodType;
      valueType?: z.core.$ZodType;
    };
    const next = element ?? valueType;
    return next && step !== undefined ? keysAt(next, rest) : [];
  }
  const { shape } = inner._zod.def as unknown as { shape: Record<string, z.core.$ZodType> };
  if (step === undefined) return Object.keys(shape);
  const next = shape[String(step)];
  return next ? keysAt(next, rest) : [];
}

/** Past optional, default, preprocess and transform, to the schema that says which keys there are. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const def = schema._zod.def as {
    type: string;
    innerType?: z.core.$ZodType;
    in?: z.core.$ZodType;
    out?: z.core.$ZodType;
  };
  if (def.innerType) return unwrap(def.innerType);
  if (def.type === 'pipe' && def.in && def.out) {
    return unwrap(def.in._zod.def.type === 'transform' ? def.out : def.in);
  }
  return schema;
}
