import { formatSize } from '../../src/core/units.ts';
import { malformedBlock, violation } from './faults.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** A field of a header block; a character for each byte. */
export type Field = readonly [name: string, value: string];

export interface HpackLimits {
  /** SETTINGS_HEADER_TABLE_SIZE as we advertise it. */
  readonly table: number;
  /** What all fields of one block may take; see `sizeOf`. */
  readonly list: number;
}

/** RFC 7541. One for each connection: what a block has put into the table serves the blocks after it. */
export interface HpackDecoder {
  /** The fields of one whole block. Throws ProbeFailure; the connection is of no use then. */
  decode(block: Buffer): Field[];
}

export function createHpackDecoder({ table: maxTable, list: maxList }: HpackLimits): HpackDecoder {
  /** The newest last. */
  const table: Field[] = [];
  let tableSize = 0;
  let capacity = maxTable;

  function evict(): void {
    while (tableSize > capacity) tableSize -= sizeOf(table.shift()!);
  }

  /** An entry that is larger than the table empties it, and is no error (RFC 7541 section 4.4). */
  function add(field: Field): void {
    table.push(field);
    tableSize += sizeOf(field);
    evict();
  }

  function at(index: number): Field {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : table[table.length - (index - STATIC_TABLE.length)];
    if (!field) throw malformedBlock(`index ${index} is in no table`);
    return field;
  }

  function resize(size: number): void {
    if (size > maxTable) throw malformedBlock(`a table of ${size} bytes, above the limit of ${maxTable}`);
    capacity = size;
    evict();
  }

  return {
    decode(block) {
      const reader = createReader(block);
      const fields: Field[] = [];
      let size = 0;
      while (!reader.atEnd()) {
        const first = block[reader.position()]!;
        if ((first & 0xe0) === 0x20) {
          if (fields.length > 0) throw malformedBlock('a new table size behind a field');
          resize(reader.integer(5));
          continue;
        }
        const field = readField(reader, first, at);
        if ((first & 0xc0) === 0x40) add(field);
        size += sizeOf(field);
        // A few bytes may name a large entry again and again: it is what comes out that counts.
        if (size > maxList) throw violation(`headers of more than ${formatSize(maxList)}`);
        fields.push(field);
      }
      return fields;
    },
  };
}

/** RFC 7541 section 6: indexed, or a literal of one of three kinds. */
function readField(reader: Reader, first: number, at: (index: number) => Field): Field {
  if (first >= 0x80) return at(reader.integer(7));
  const index = reader.integer((first & 0xc0) === 0x40 ? 6 : 4);
  const name = index === 0 ? reader.text() : at(index)[0];
  return [name, reader.text()];
}

/** RFC 7541 section 4.1, which is also RFC 9113's measure of a field section. */
function sizeOf([name, value]: Field): number {
  return name.length + value.length + 32;
}

interface Reader {
  atEnd(): boolean;
  position(): number;
  /** Section 5.1, from a byte whose last `prefix` bits belong to it. */
  integer(prefix: number): number;
  /** Section 5.2. */
  text(): string;
}

function createReader(block: Buffer): Reader {
  let at = 0;
  function next(): number {
    const byte = block[at++];
    if (byte === undefined) throw malformedBlock('they end in the middle of a field');
    return byte;
  }
  function integer(prefix: number): number {
    const most = 2 ** prefix - 1;
    let value = next() & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = next();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformedBlock('a number that is too large');
  }
  return {
    atEnd: () => at >= block.length,
    position: () => at,
    integer,
    text() {
      const huffman = (block[at] ?? 0) >= 0x80;
      const length = integer(7);
      if (length > block.length - at) throw malformedBlock('they end in the middle of a field');
      const bytes = block.subarray(at, at + length);
      at += length;
      return huffman ? decodeHuffman(bytes) : bytes.toString('latin1');
    },
  };
}
