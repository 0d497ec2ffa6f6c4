import { type Redact } from '../core/redact.ts';

/** Where in a file something stands; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The whole line, and how many characters of it are meant. */
  readonly text: string;
  readonly width: number;
}

/** The text that is meant. */
export function markedText({ text, column, width }: Place): string {
  return text.slice(column - 1, column - 1 + width);
}

export interface Problem {
  readonly place: Place;
  readonly message: string;
}

/** The user's configuration cannot be used; every problem of every file is in it. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ place, message }) => `${position(place)}: ${message}`).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** `file:line:column`, which editors and terminals turn into a link. */
export function position({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** In reading order (of the files, as given), without repeats, and without what must not be printed. */
export function tidy(problems: readonly Problem[], files: readonly string[], redact: Redact): Problem[] {
  const seen = new Set<string>();
  return problems
    .map(({ place, message }) => ({ place, message: redact(message) }))
    .filter(({ place, message }) => {
      const key = `${position(place)} ${message}`;
      return !seen.has(key) && seen.add(key);
    })
    .toSorted(
      (a, b) =>
        files.indexOf(a.place.file) - files.indexOf(b.place.file) ||
        a.place.line - b.place.line ||
        a.place.column - b.place.column,
    );
}
