import { RE2JS } from 're2js';
import { z } from 'zod';

/** A user's regular expression, in RE2 syntax: matching takes linear time whatever the pattern and the text. */
export class Pattern {
  readonly source: string;
  readonly #program: RE2JS;

  /** Throws where the pattern does not compile. */
  constructor(source: string) {
    this.source = source;
    this.#program = RE2JS.compile(source);
  }

  /** Whether it matches anywhere in the text. */
  matches(text: string): boolean {
    return this.#program.matcher(text).find();
  }

  /** Prints as the user wrote it. */
  toJSON(): string {
    return this.source;
  }
}

/** Patterns by their source: thousands of targets tend to share a few. */
const compiled = new Map<string, Pattern>();
const MOST_KEPT = 1_000;

function compile(source: string): Pattern {
  const known = compiled.get(source);
  if (known) return known;
  const pattern = new Pattern(source);
  if (compiled.size >= MOST_KEPT) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

export function pattern(): z.ZodType<Pattern, string> {
  return z.string().transform((source, context) => {
    try {
      return compile(source);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: 'custom', message: `the pattern does not compile: ${why}` });
      return z.NEVER;
    }
  });
}
