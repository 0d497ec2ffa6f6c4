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
    return this.#program.test(text);
  }

  /** Prints as the user wrote it. */
  toJSON(): string {
    return this.source;
  }
}

/**
 * A pattern for what comes over a wire. `^` and `$` match at the ends of lines. It is held against the bytes: `\xff` is
 * a byte and `.` is one. Only where it names characters beyond ASCII, are they read as UTF-8.
 */
export class BytePattern {
  readonly source: string;
  readonly #program: RE2JS;
  readonly #readsText: boolean;

  /** Throws where the pattern does not compile. */
  constructor(source: string) {
    this.source = source;
    // First without the flag: where it does not compile, the message shows the pattern as it was written.
    RE2JS.compile(source);
    this.#program = RE2JS.compile(source, RE2JS.MULTILINE);
    this.#readsText = /[^\0-\x7f]|\\[pP]|\\x\{/.test(source);
  }

  /** How many bytes there are up to the end of the first match, if there is one. */
  endOfMatch(bytes: Buffer): number | undefined {
    const input = this.#readsText ? bytes : bytes.toString('latin1');
    // To ask whether it matches is many times faster than to ask where.
    if (!this.#program.test(input)) return undefined;
    const matcher = this.#program.matcher(input);
    return matcher.find() ? matcher.end() : undefined;
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

/** What compiles, or an issue that says why not. */
function compiles<T>(compile: (source: string) => T): z.ZodType<T, string> {
  return z
    .string()
    .transform((source, context) => {
      try {
        return compile(source);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        context.addIssue({ code: 'custom', message: `the pattern does not compile: ${why}` });
        return z.NEVER;
      }
    })
    .meta({ as: 'pattern' });
}

export function pattern(): z.ZodType<Pattern, string> {
  return compiles(compile);
}

export function bytePattern(): z.ZodType<BytePattern, string> {
  return compiles((source) => new BytePattern(source));
}
