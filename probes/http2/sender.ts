import { violation } from './faults.ts';
import {
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  MAX_FRAME,
  MAX_WINDOW,
  frame,
} from './frames.ts';
import type { Field } from './hpack-decoder.ts';
import { EMPTY_TABLE, encodeFields } from './hpack-encoder.ts';
import { type PeerSettings, DEFAULT_TABLE } from './settings.ts';

export interface Request {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** Names in lower case, none of them the connection's; a character for each byte. */
  readonly fields: readonly Field[];
  /** Without a byte in it, the head ends the stream. */
  readonly content: Buffer;
}

/** Sends requests, one after another, as far as the peer's windows let it (RFC 9113 section 5.2). */
export interface Sender {
  open(stream: number, request: Request): void;
  /** SETTINGS have come: what was true before them is not any more. */
  adapt(before: PeerSettings): void;
  /** A WINDOW_UPDATE for the connection or for the open stream. */
  widen(which: 'connection' | 'stream', by: number): void;
  /** Whether the whole request is on its way. */
  readonly sent: boolean;
}

export function createSender(write: (bytes: Buffer) => void, peer: PeerSettings): Sender {
  let stream = 0;
  let unsent: Buffer = Buffer.alloc(0);
  let connectionWindow = DEFAULT_WINDOW;
  let streamWindow = 0;
  let tableToEmpty = false;

  function sendHead({ method, scheme, authority, path, fields, content }: Request): void {
    const pseudo: Field[] = [
      [':method', method],
      [':scheme', scheme],
      [':authority', authority],
      [':path', path],
    ];
    let block = encodeFields([...pseudo, ...fields]);
    // RFC 7541 section 4.2: a table that had to become smaller says so in the next block.
    if (tableToEmpty) block = Buffer.concat([EMPTY_TABLE, block]);
    tableToEmpty = false;
    const ends = content.length === 0 ? END_STREAM : 0;
    for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
      const part = block.subarray(at, at + MAX_FRAME);
      const last = at + MAX_FRAME >= block.length ? END_HEADERS : 0;
      write(at === 0 ? frame(HEADERS, ends | last, stream, part) : frame(CONTINUATION, last, stream, part));
    }
  }

  function sendContent(): void {
    for (;;) {
      const size = Math.min(unsent.length, connectionWindow, streamWindow, MAX_FRAME);
      if (size <= 0) return;
      const ends = size === unsent.length ? END_STREAM : 0;
      write(frame(DATA, ends, stream, unsent.subarray(0, size)));
      unsent = unsent.subarray(size);
      connectionWindow -= size;
      streamWindow -= size;
    }
  }

  function checked(window: number): number {
    if (window > MAX_WINDOW) throw violation('a window larger than a window can be');
    return window;
  }

  return {
    open(id, request) {
      stream = id;
      unsent = request.content;
      streamWindow = peer.initialWindow;
      sendHead(request);
      sendContent();
    },
    adapt(before) {
      // Section 6.9.2: that may take a window below zero.
      streamWindow = checked(streamWindow + peer.initialWindow - before.initialWindow);
      if (peer.tableSize < Math.min(before.tableSize, DEFAULT_TABLE)) tableToEmpty = true;
      sendContent();
    },
    widen(which, by) {
      if (which === 'connection') connectionWindow = checked(connectionWindow + by);
      else streamWindow = checked(streamWindow + by);
      sendContent();
    },
    get sent() {
      return unsent.length === 0;
    },
  };
}
