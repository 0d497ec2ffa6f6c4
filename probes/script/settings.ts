import process from 'node:process';
import { z } from 'zod';
import { readableFile } from '../../src/schema/file.ts';
import { expected, withShortForm } from '../../src/schema/scalars.ts';

const scriptFile = readableFile().superRefine((path, context) => {
  const message = extensionProblem(path);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Why Node would not take this file for a module, as far as its name tells. */
function extensionProblem(path: string): string | undefined {
  const extension = /\.[^./]*$/.exec(path)?.[0] ?? '';
  if (['.mjs', '.js'].includes(extension)) return undefined;
  if (!['.mts', '.ts'].includes(extension)) {
    return `a script is a JavaScript module, ${['.mjs', '.js', '.mts', '.ts'].join(', ')}`;
  }
  const { typescript } = process.features as { typescript?: unknown };
  return typescript
    ? undefined
    : `this Node (${process.version}) does not run TypeScript; Node 22.18 and later do, or write it as .mjs`;
}

/** Any YAML that JSON can say: that is how it reaches the script's thread. */
const given = z
  .record(z.string(), z.unknown(), { error: expected('a mapping: the settings of the script') })
  .superRefine((value, context) => {
    for (const path of strangeNumbers(value)) {
      context.addIssue({ code: 'custom', message: 'a number here has to be finite', path });
    }
  });

function strangeNumbers(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [[...path]];
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]) =>
    strangeNumbers(inner, [...path, isList ? Number(key) : key]),
  );
}

const keys = z.strictObject({
  file: scriptFile.describe('the module, relative to the YAML file'),
  with: given.default({}).describe('settings for the script, any YAML; the script checks them'),
});

export type ScriptSettings = z.infer<typeof keys>;

export const settings = withShortForm<ScriptSettings>(['scalar'], (file) => ({ file }), keys);
