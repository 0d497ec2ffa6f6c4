import process from 'node:process';

/** So much of what one attempt prints is told. */
const MOST_PRINTED = 16 * 1024;

export interface Output {
  /** From now on, what is printed is told; without a listener it is dropped. */
  tell(listener: ((text: string) => void) | undefined): void;
}

/**
 * Takes what the script prints. Node would hand it on to the agent's own output, into the middle of its log, and would
 * keep it in memory for as long as nobody reads it.
 */
export function takeOutput(): Output {
  let listener: ((text: string) => void) | undefined;
  let left = 0;

  function write(chunk: unknown, ...rest: readonly unknown[]): boolean {
    if (listener && left > 0) {
      const text = (typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString()).slice(
        0,
        left,
      );
      left -= text.length;
      listener(text);
    }
    const done = rest.at(-1);
    if (typeof done === 'function') queueMicrotask(done as () => void);
    return true;
  }
  for (const stream of [process.stdout, process.stderr]) stream.write = write;

  return {
    tell(next) {
      listener = next;
      left = MOST_PRINTED;
    },
  };
}
