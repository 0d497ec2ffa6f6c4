/** Shorter ones would black out words that they merely occur in. */
const SHORTEST_INSIDE_TEXT = 3;

/** Replaces every secret in a text by `***`. */
export type Redact = (text: string) => string;

export function createRedactor(secrets: Iterable<string>): Redact {
  const whole = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    whole.add(secret.toLowerCase());
    // A command may print a line of a longer secret, such as a key file.
    const lines = secret.split('\n');
    if (lines.length > 1) for (const line of lines) if (line.length >= 8) whole.add(line.toLowerCase());
  }
  const inside = [...whole].filter((secret) => secret.length >= SHORTEST_INSIDE_TEXT);
  if (whole.size === 0) return (text) => text;
  // Whatever their case: a host name comes back from the resolver in lower case.
  // Longest first: a secret that contains another one goes as a whole.
  const sources = inside.toSorted((a, b) => b.length - a.length).map(escape);
  const anywhere = new RegExp(sources.join('|'), 'gi');
  return (text) => {
    if (whole.has(text.toLowerCase())) return '***';
    return sources.length === 0 ? text : text.replace(anywhere, '***');
  };
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
