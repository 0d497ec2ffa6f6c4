import { type Problem } from './problem.ts';
import { eachSchema } from './schema.ts';
import { type Sourced, validate } from './validate.ts';

const MAX_EACH = 100_000;

/** A target for each combination of the values of its `each`; undefined where that is wrong. */
export function expanded(entry: Sourced, problems: Problem[]): Sourced[] | undefined {
  const { data, path } = entry;
  if (typeof data !== 'object' || data === null || !('each' in data)) return [entry];
  const each = validate(eachSchema, { ...entry, path: [...path, 'each'], data: data.each }, problems);
  if (!each) return undefined;
  const count = Object.values(each).reduce((product, values) => product * values.length, 1);
  if (count > MAX_EACH) {
    const place = entry.source.locate([...path, 'each'], 'key');
    problems.push({ place, message: `each makes ${count} targets of one; at most ${MAX_EACH}` });
    return undefined;
  }
  return expandEach(data as Record<string, unknown>, each).map((one) => ({ ...entry, data: one }));
}

/** The entry as a target of its own, with its placeholders as they stand. */
export function withoutEach(entry: Sourced): Sourced {
  const { each: _, ...rest } = entry.data as Readonly<Record<string, unknown>>;
  return { ...entry, data: rest };
}

export function hasPlaceholder(text: string): boolean {
  return /\{[A-Za-z_][A-Za-z0-9_]*\}/.test(text);
}

/** `each: { host: [a, b] }` with `{host}` in the target's texts: one target for each combination of values. */
function expandEach(
  target: Readonly<Record<string, unknown>>,
  each: Readonly<Record<string, readonly string[]>>,
): Record<string, unknown>[] {
  let combinations: Record<string, string>[] = [{}];
  for (const [key, values] of Object.entries(each)) {
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [key]: value })),
    );
  }
  const { each: _, ...template } = target;
  return combinations.map((values) => substitute(template, values) as Record<string, unknown>);
}

/** Braces around any other word are left as they are: they may be JSON, or a pattern's. */
function substitute(data: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof data === 'string') {
    return data.replaceAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (written: string, key: string) =>
      Object.hasOwn(values, key) ? values[key]! : written,
    );
  }
  if (Array.isArray(data)) return data.map((item) => substitute(item, values));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, substitute(value, values)]));
}
