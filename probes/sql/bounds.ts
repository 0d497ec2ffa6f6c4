import { ProbeFailure } from '../wire/reason.ts';

/** A client makes a reader of its own for so many columns, and our loop stands still for that long. */
const MOST_COLUMNS = 256;
/** Packets or messages of an answer: columns, rows and what goes with them. We look at the first row. */
const MOST_PIECES = 2_000;

export function boundColumns(count: number): void {
  if (count > MOST_COLUMNS)
    throw new ProbeFailure('too_large', `the answer has more than ${MOST_COLUMNS} columns`);
}

export function boundPieces(count: number): void {
  if (count > MOST_PIECES) {
    throw new ProbeFailure(
      'too_large',
      `the answer has more than ${MOST_PIECES} columns and rows; ask for one row`,
    );
  }
}
