/** Collects bytes without keeping a buffer object for each of a thousand tiny pieces. */
export interface GrowingBuffer {
  /** Copies them. */
  add(part: Buffer): void;
  bytes(): Buffer;
  readonly length: number;
}

export function createGrowingBuffer(): GrowingBuffer {
  let memory = Buffer.alloc(0);
  let length = 0;
  return {
    add(part) {
      if (length + part.length > memory.length) {
        const larger = Buffer.alloc(Math.max(1_024, 2 * (length + part.length)));
        memory.copy(larger, 0, 0, length);
        memory = larger;
      }
      part.copy(memory, length);
      length += part.length;
    },
    bytes: () => memory.subarray(0, length),
    get length() {
      return length;
    },
  };
}
