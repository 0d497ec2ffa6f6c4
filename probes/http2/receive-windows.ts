import { violation } from './faults.ts';
import { DEFAULT_WINDOW, windowUpdate } from './frames.ts';

/**
 * What the server may still send, RFC 9113 section 5.2: on the connection, and on the open stream. What has come is
 * used up at once, so a window is given back as soon as half of it is gone; each of the two begins at `size`.
 */
export interface ReceiveWindows {
  open(): void;
  /** DATA has come, padding included. Throws ProbeFailure where there was no room for it. */
  take(length: number): void;
  giveBack(stream: number, ends: boolean): void;
}

export function createReceiveWindows(write: (bytes: Buffer) => void, size: number): ReceiveWindows {
  let ofConnection = size;
  let ofStream = 0;
  // SETTINGS say how large a stream's window is, but not the connection's.
  if (size > DEFAULT_WINDOW) write(windowUpdate(0, size - DEFAULT_WINDOW));

  return {
    open() {
      ofStream = size;
    },
    take(length) {
      ofConnection -= length;
      ofStream -= length;
      if (ofConnection < 0 || ofStream < 0) throw violation('more DATA than the window has room for');
    },
    giveBack(stream, ends) {
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
