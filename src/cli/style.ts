import { styleText } from 'node:util';
import type { State } from '../core/health.ts';
import type { Status } from '../core/outcome.ts';

type Format = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it alone. */
export type Paint = (format: Format, text: string) => string;

/** Colour goes to terminals only; NO_COLOR (https://no-color.org) turns it off, FORCE_COLOR on. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const wanted = FORCE_COLOR ? FORCE_COLOR !== '0' : stream.isTTY && !NO_COLOR;
  // We have looked at the stream ourselves; newer Nodes would look at stdout.
  return wanted
    ? (format, text) => styleText(format, text, { validateStream: false })
    : (_format, text) => text;
}

export const STATUS_COLOUR: Readonly<Record<Status, Format>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  void: 'magenta',
};

export const STATE_COLOUR: Readonly<Record<State, Format>> = {
  unknown: 'gray',
  up: 'green',
  suspect: 'yellow',
  down: 'red',
  recovering: 'cyan',
};

/** Rows of cells under a head, each column as wide as its widest cell; the last one is not padded. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (text: string, row: number, column: number) => string,
): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(displayWidth)),
  );
  const line = (cells: readonly string[], row: number): string =>
    cells
      .map((cell, column) => {
        const gap = column === cells.length - 1 ? '' : ' '.repeat(widths[column]! - displayWidth(cell) + 2);
        return paint(cell, row, column) + gap;
      })
      .join('');
  return [line(head, -1), ...rows.map(line)].join('\n');
}

function displayWidth(text: string): number {
  return Array.from(text).length;
}

/** Text of unknown origin on one line, without control characters that a terminal would obey. */
export function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}
