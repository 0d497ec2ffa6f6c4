import { formatSize } from '../../src/core/units.ts';
import { violation } from './faults.ts';
import {
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  type FrameHead,
  HEADERS,
  typeName,
  withoutPadding,
} from './frames.ts';
import { type Field, createHpackDecoder } from './hpack-decoder.ts';
import { DEFAULT_TABLE, MAX_HEADER_LIST } from './settings.ts';

/** Empty ones carry nothing on, however many come. */
const MAX_CONTINUATIONS = 1_000;

export interface Block {
  readonly fields: readonly Field[];
  /** The block is the last of its stream. */
  readonly ends: boolean;
}

/** Header blocks of a connection, each of them HEADERS and what CONTINUATION it takes. Both throw ProbeFailure. */
export interface BlockReader {
  /** A frame of any type begins. */
  expect(head: FrameHead): void;
  /** HEADERS or CONTINUATION is there; undefined while the block goes on. */
  take(head: FrameHead, payload: Buffer): Block | undefined;
}

export function createBlockReader(): BlockReader {
  const hpack = createHpackDecoder({ table: DEFAULT_TABLE, list: MAX_HEADER_LIST });
  /** HEADERS that have not ended, and what of their block has come. */
  let open: FrameHead | undefined;
  let parts: Buffer[] = [];
  let size = 0;

  return {
    expect({ type, stream, length }) {
      if (!open) {
        if (type === CONTINUATION) throw violation('CONTINUATION without HEADERS');
        return;
      }
      // RFC 9113 section 6.10: nothing may come between.
      if (type !== CONTINUATION || stream !== open.stream) {
        throw violation(`${typeName(type)} where CONTINUATION had to follow on stream ${open.stream}`);
      }
      if (parts.length > MAX_CONTINUATIONS) throw violation(`more than ${MAX_CONTINUATIONS} CONTINUATION`);
      if (size + length > MAX_HEADER_LIST)
        throw violation(`headers of more than ${formatSize(MAX_HEADER_LIST)}`);
    },
    take(head, payload) {
      const part = head.type === HEADERS ? withoutPadding(head, payload) : payload;
      const { flags } = open ?? head;
      if ((head.flags & END_HEADERS) === 0) {
        open ??= head;
        // A view would keep alive all that was read along with it.
        parts.push(Buffer.from(part));
        size += part.length;
        return undefined;
      }
      const block = parts.length === 0 ? part : Buffer.concat([...parts, part]);
      open = undefined;
      parts = [];
      size = 0;
      return { fields: hpack.decode(block), ends: (flags & END_STREAM) !== 0 };
    },
  };
}
