/** `${VAR}`, `${VAR:-default}` and `${file:PATH}` inside one scalar; `$${` stands for `${` itself. */

export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file's text; throws where it cannot be read. */
  readonly readFile: (path: string) => string;
}

export interface Expansion {
  readonly text: string;
  /** What was put in: its text, where its reference began, and whether it was read from a file. */
  readonly parts: readonly { readonly value: string; readonly offset: number; readonly fromFile: boolean }[];
  readonly problems: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;

export function expand(text: string, { env, readFile }: Sources): Expansion {
  const parts: { value: string; offset: number; fromFile: boolean }[] = [];
  const problems: string[] = [];

  function valueOf(reference: string): string {
    const file = /^file:(.+)$/.exec(reference)?.[1];
    if (file !== undefined) {
      try {
        return readFile(file).replace(/\r?\n$/, '');
      } catch {
        problems.push(`\${file:${file}} cannot be read`);
        return '';
      }
    }
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(reference);
    if (!match) {
      problems.push(`\${${reference}} is not \${VAR}, \${VAR:-default} or \${file:PATH}`);
      return '';
    }
    const [, name = '', fallback] = match;
    const value = env[name];
    // As in the shell, `:-` also stands in for an empty variable.
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined)
      problems.push(`the environment variable ${name} is not set, and there is no default`);
    return value ?? '';
  }

  const expanded = text.replaceAll(
    REFERENCE,
    (written: string, reference: string | undefined, offset: number) => {
      if (reference === undefined) return '${';
      if (!written.endsWith('}')) {
        problems.push(`${written} has no closing brace`);
        return '';
      }
      const value = valueOf(reference);
      parts.push({ value, offset, fromFile: reference.startsWith('file:') });
      return value;
    },
  );
  return { text: expanded, parts, problems };
}
