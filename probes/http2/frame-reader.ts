import { type FrameHead, HEAD_BYTES } from './frames.ts';

export interface FrameListener {
  /** The bytes of the first head while it is not whole: a stranger is told by the first of them. */
  beginning(bytes: Buffer): void;
  /** A whole head, before its payload: an illegal frame is refused without waiting for the rest of it. */
  head(head: FrameHead): void;
  /** A whole frame. The payload may be a part of what was pushed: it is to be copied where it is kept. */
  frame(head: FrameHead, payload: Buffer): void;
}

/**
 * Cuts bytes into frames, however they come. It holds back at most one frame, and whoever listens bounds its length in
 * `head`, so that neither small pieces nor large frames cost more than their bytes.
 */
export function createFrameReader(listener: FrameListener): { push(chunk: Buffer): void } {
  const headBytes = Buffer.alloc(HEAD_BYTES);
  let gathered = 0;
  let first = true;
  let head: FrameHead | undefined;
  /** A payload that comes in pieces. */
  let payload: Buffer | undefined;

  function gatherHead(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + HEAD_BYTES - gathered);
    gathered += chunk.copy(headBytes, gathered, from, to);
    if (first) listener.beginning(headBytes.subarray(0, gathered));
    if (gathered < HEAD_BYTES) return to;
    first = false;
    gathered = 0;
    head = {
      length: headBytes.readUIntBE(0, 3),
      type: headBytes[3]!,
      flags: headBytes[4]!,
      // The bit on the left is reserved.
      stream: headBytes.readUInt32BE(5) & 0x7fff_ffff,
    };
    listener.head(head);
    return to;
  }

  function gatherPayload({ length }: FrameHead, chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + length - gathered);
    if (gathered === 0 && to - from === length) {
      payload = chunk.subarray(from, to);
    } else {
      payload ??= Buffer.allocUnsafe(length);
      chunk.copy(payload, gathered, from, to);
    }
    gathered += to - from;
    return to;
  }

  return {
    push(chunk) {
      for (let at = 0; at < chunk.length || head?.length === gathered;) {
        if (!head) {
          at = gatherHead(chunk, at);
          continue;
        }
        at = gatherPayload(head, chunk, at);
        if (gathered < head.length) return;
        const whole = { head, payload: payload! };
        head = undefined;
        payload = undefined;
        gathered = 0;
        listener.frame(whole.head, whole.payload);
      }
    },
  };
}
