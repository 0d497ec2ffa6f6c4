import { boundColumns, boundPieces } from '../sql/bounds.ts';

/** Follows the packets of the server's answers to a query; throws where they are too much for us. */
export interface AnswerBounds {
  /** A query has gone out. */
  begin(): void;
  /** A packet of so many bytes has come, and begins with these: three, or all that it has. */
  packet(size: number, start: Buffer): void;
}

const END = 0xfe;
const ERROR = 0xff;
/** OK, an error, a file that is wanted: no rows come. */
const WITHOUT_ROWS = new Set([0x00, 0xfb, ERROR]);

export function createAnswerBounds(): AnswerBounds {
  let state: 'login' | 'first' | 'columns' | 'rows' = 'login';
  let count = 0;
  return {
    begin() {
      state = 'first';
      count = 0;
    },
    packet(size, start) {
      if (state === 'login') return;
      boundPieces(++count);
      const [kind = 0] = start;
      if (state === 'first') {
        if (WITHOUT_ROWS.has(kind)) return;
        boundColumns(columnsOf(kind, start));
        state = 'columns';
      } else if (kind === ERROR) state = 'first';
      else if (kind === END && size < 9) state = state === 'columns' ? 'rows' : 'first';
    },
  };
}

/** A number as the protocol writes it: in one byte, in two after 0xfc, in more. */
function columnsOf(kind: number, start: Buffer): number {
  if (kind < 0xfb) return kind;
  return kind === 0xfc && start.length === 3 ? start.readUInt16LE(1) : Infinity;
}
