import { DEFAULT_WINDOW, windowUpdate } from './frames.ts';

/**
 * What the server may still send, RFC 9113 section 5.2: on the connection, and on the open stream. Content is used up as
 * it comes, so half a window is given back as soon as it is gone, and a frame always has room: a server that does not
 * wait for us cannot be told from one that we have told early enough. What bounds memory is whoever takes the content.
 */
export interface ReceiveWindows {
  open(): void;
  /** DATA has come, of this length with its padding; `ends` where it was the last. */
  used(stream: number, length: number, ends: boolean): void;
}

/** Each of the two begins at `size`. */
export function createReceiveWindows(write: (bytes: Buffer) => void, size: number): ReceiveWindows {
  let ofConnection = size;
  let ofStream = 0;
  // SETTINGS say how large a stream's window is, but not the connection's.
  if (size > DEFAULT_WINDOW) write(windowUpdate(0, size - DEFAULT_WINDOW));

  return {
    open() {
      ofStream = size;
    },
    used(stream, length, ends) {
      ofConnection -= length;
      ofStream -= length;
      if (ofConnection < size / 2) {
        write(windowUpdate(0, size - ofConnection));
        ofConnection = size;
      }
      if (ofStream < size / 2 && !ends) {
        write(windowUpdate(stream, size - ofStream));
        ofStream = size;
      }
    },
  };
}
