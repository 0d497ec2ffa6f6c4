import type { Paint } from '../style.ts';

/** What a picture is drawn on. */
export interface Page {
  readonly paint: Paint;
  /** How wide a line may be; Infinity where nobody looks through a window. */
  readonly columns: number;
}

/** A section with its heading, or nothing where it has no lines. */
export function section(title: string, lines: readonly string[], { paint }: Page): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines];
}

/** How wide the names at the left may be, so that there is room for what they are the names of. */
export function nameWidth(columns: number): number {
  return Math.min(40, Math.floor(columns / 3));
}

/** Everything below a heading begins here. */
export const INDENT = '  ';

/** Milliseconds with as many digits as tell something: `0.4ms`, `12.3ms`, `128ms`, `2s`. */
export function milliseconds(ms: number): string {
  if (ms < 100) return `${ms.toFixed(1)}ms`;
  return ms < 1_000 ? `${ms.toFixed(0)}ms` : `${(ms / 1_000).toFixed(2)}s`;
}
