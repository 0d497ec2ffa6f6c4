/**
 * Joins what has been read from a socket, but not been used yet, with what comes next. A peer that sends single bytes
 * would make us copy all of it for each of them: so it is copied into memory with room to spare.
 */
export function createPending(): (unused: Buffer, next: Buffer) => Buffer {
  let memory = Buffer.alloc(0);
  let end = 0;
  return (unused, next) => {
    if (unused.length === 0) return next;
    let start = unused.byteOffset - memory.byteOffset;
    const isOurs = unused.buffer === memory.buffer && start + unused.length === end;
    if (!isOurs || end + next.length > memory.length) {
      memory = Buffer.alloc(Math.max(1_024, 2 * (unused.length + next.length)));
      unused.copy(memory);
      start = 0;
      end = unused.length;
    }
    next.copy(memory, end);
    end += next.length;
    return memory.subarray(start, end);
  };
}
