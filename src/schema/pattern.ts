import { RE2JS } from 're2js';
import { z } from 'zod';

/**
 * Matching takes linear time, and yet the product of the pattern's size and the text's length, at some 10 ns: no loop
 * is to stand still for more than about 50 ms. Sizes are instructions of the compiled program, lengths are characters.
 */
const SIZE_TIMES_LENGTH = 5_000_000;
/**
 * From this size on a pattern can make re2js build states for every character, only to give up on them: up to ten times
 * the cost. What matches by simulation alone, as where the place of the match is asked for, has no such bad days.
 */
const TOO_BIG_FOR_STATES = 150;

/** How many characters a program may be held against in one go. */
function reachOf(program: RE2JS): number {
  return Math.max(1, Math.floor(SIZE_TIMES_LENGTH / program.programSize()));
}

function matchesSteadily(program: RE2JS, input: string | Buffer): boolean {
  return program.programSize() < TOO_BIG_FOR_STATES ? program.test(input) : program.matcher(input).find();
}

/** A user's regular expression, in RE2 syntax: matching takes linear time whatever the pattern and the text. */
export class Pattern {
  readonly source: string;
  /** Instructions of the program that it is compiled to. */
  readonly size: number;
  /** How many characters it is held against in one go; what a text has beyond them is not looked at. */
  readonly reach: number;
  readonly #program: RE2JS;

  /** Throws where the pattern does not compile. */
  constructor(source: string) {
    this.source = source;
    this.#program = RE2JS.compile(source);
    this.size = this.#program.programSize();
    this.reach = reachOf(this.#program);
  }

  /** Whether it matches anywhere in the text, as far as it reaches. */
  matches(text: string): boolean {
    return matchesSteadily(this.#program, text.slice(0, this.reach));
  }

  /** Whether it matches in any of the texts, of which it is held against no more than of one. */
  matchesAny(texts: readonly string[]): boolean {
    let left = this.reach;
    return texts.some((text) => {
      if (left <= 0) return false;
      const part = text.slice(0, left);
      left -= part.length + 1;
      return matchesSteadily(this.#program, part);
    });
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
  /** How many bytes it is held against in one go; what there is beyond them is not looked at. */
  readonly reach: number;
  readonly #program: RE2JS;
  readonly #readsText: boolean;

  /** Throws where the pattern does not compile. */
  constructor(source: string) {
    this.source = source;
    // First without the flag: where it does not compile, the message shows the pattern as it was written.
    RE2JS.compile(source);
    this.#program = RE2JS.compile(source, RE2JS.MULTILINE);
    this.reach = reachOf(this.#program);
    this.#readsText = /[^\0-\x7f]|\\[pP]|\\x\{/.test(source);
  }

  /** How many bytes there are up to the end of the first match, if there is one as far as it reaches. */
  endOfMatch(bytes: Buffer): number | undefined {
    const seen = bytes.subarray(0, this.reach);
    const input = this.#readsText ? seen : seen.toString('latin1');
    // To ask whether it matches is mostly many times faster than to ask where.
    if (this.#program.programSize() < TOO_BIG_FOR_STATES && !this.#program.test(input)) return undefined;
    const matcher = this.#program.matcher(input);
    return matcher.find() ? matcher.end() : undefined;
  }

  /** Prints as the user wrote it. */
  toJSON(): string {
    return this.source;
  }
}

/** How much of something all of these can be held against, where at most so much is looked at. */
export function shortestReach(patterns: readonly (BytePattern | undefined)[], most: number): number {
  return Math.min(most, ...patterns.map((pattern) => pattern?.reach ?? most));
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
