import { boundColumns, boundPieces } from '../sql/bounds.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** Type, length, and of a RowDescription the number of its fields. */
const HEAD = 5;
const ROW_DESCRIPTION = 'T'.charCodeAt(0);

/** Looks at what the server sends before the client has it. What it gives is what it took; throws where it is too much. */
export function createGauge(): (bytes: Buffer) => Buffer {
  const head = Buffer.alloc(HEAD + 2);
  let filled = 0;
  let left = 0;
  let count = 0;

  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      if (left > 0) {
        const part = Math.min(left, bytes.length - at);
        at += part;
        left -= part;
        continue;
      }
      head[filled++] = bytes[at++]!;
      if (filled < HEAD) continue;
      const length = head.readUInt32BE(1);
      if (filled === HEAD) {
        if (length < 4) throw new ProbeFailure('protocol', 'a message of the server has no length');
        boundPieces(++count);
      }
      if (head[0] === ROW_DESCRIPTION && length >= 6 && filled < HEAD + 2) continue;
      if (filled === HEAD + 2) boundColumns(head.readUInt16BE(HEAD));
      left = length - 4 - (filled - HEAD);
      filled = 0;
    }
    return bytes;
  };
}
