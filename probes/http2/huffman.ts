import { malformedBlock } from './faults.ts';

/**
 * RFC 7541 appendix B. The code is canonical: the codes of one length follow each other in the order of their symbols,
 * so that the lengths alone are the whole table. The last symbol is EOS.
 */
// oxfmt-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;

interface CodesOfLength {
  readonly length: number;
  /** The first code that is longer than these, its bits from the left of 32. */
  readonly limit: number;
  readonly first: number;
  readonly symbols: readonly number[];
}

const CODES: readonly CodesOfLength[] = codesByLength();

function codesByLength(): CodesOfLength[] {
  const codes: CodesOfLength[] = [];
  let first = 0;
  for (let length = 5; length <= 30; length++) {
    const symbols = LENGTHS.flatMap((own, symbol) => (own === length ? [symbol] : []));
    const limit = first + symbols.length * 2 ** (32 - length);
    if (symbols.length > 0) codes.push({ length, first, limit, symbols });
    first = limit;
  }
  return codes;
}

/** The text behind a Huffman code, a character for each byte. Throws ProbeFailure. */
export function decodeHuffman(bytes: Buffer): string {
  const end = bytes.length * 8;
  // The shortest code has five bits.
  const decoded = Buffer.allocUnsafe(Math.floor(end / 5));
  let size = 0;
  for (let at = 0; at < end;) {
    const window = windowAt(bytes, at);
    const { length, first, symbols } = CODES.find(({ limit }) => window < limit)!;
    if (at + length > end) {
      // RFC 7541 section 5.2: fewer than eight bits, and all of them ones.
      const left = end - at;
      if (left > 7 || window !== 0xffff_ffff) throw malformedBlock('a Huffman code with wrong padding');
      break;
    }
    const symbol = symbols[(window - first) >>> (32 - length)]!;
    if (symbol === EOS) throw malformedBlock('a Huffman code with the end-of-string symbol');
    decoded[size++] = symbol;
    at += length;
  }
  return decoded.toString('latin1', 0, size);
}

/** 32 bits from this one on, ones after the end. */
function windowAt(bytes: Buffer, bit: number): number {
  const at = bit >>> 3;
  const shift = bit & 7;
  const high =
    ((bytes[at] ?? 0xff) << 24) |
    ((bytes[at + 1] ?? 0xff) << 16) |
    ((bytes[at + 2] ?? 0xff) << 8) |
    (bytes[at + 3] ?? 0xff);
  return ((high << shift) | ((bytes[at + 4] ?? 0xff) >>> (8 - shift))) >>> 0;
}
