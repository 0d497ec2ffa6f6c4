/** `each: { host: [a, b] }` with `{host}` in the target's texts: one target for each combination of values. */
export function expandEach(
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
