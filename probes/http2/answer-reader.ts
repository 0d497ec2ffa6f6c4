import { violation } from './faults.ts';
import { type Fields, type Head, promisedLength, readHead, readTrailers } from './fields.ts';
import type { Field } from './hpack-decoder.ts';

const MAX_INTERIM = 100;

export interface Answer {
  readonly status: number;
  readonly headers: Fields;
  /** Empty where there were none. */
  readonly trailers: Fields;
  /** The head ended the stream: there was neither content nor trailers. */
  readonly headOnly: boolean;
  /** The content was not read to its end, since nobody wanted more of it. */
  readonly cut: boolean;
}

/** Told of an answer as it comes. */
export interface AnswerListener {
  /** The final head. */
  head?(head: Head): void;
  interim?(head: Head): void;
  trailers?(trailers: Fields): void;
  /** A piece of the content, to be copied where it is kept; false where no more of it is wanted. */
  content(piece: Buffer): boolean;
}

/**
 * One answer by RFC 9113 section 8.1: interim heads, the head, content, trailers. Its methods take what the stream
 * carries and tell whether the answer is complete. They throw ProbeFailure.
 */
export interface AnswerReader {
  fields(block: readonly Field[], ends: boolean): boolean;
  content(piece: Buffer, ends: boolean): boolean;
  readonly began: boolean;
  /** Only once it is complete. */
  readonly answer: Answer;
}

export function createAnswerReader(method: string, listener: AnswerListener): AnswerReader {
  let head: Head | undefined;
  let trailers: Fields = new Map();
  let interim = 0;
  let promised: number | undefined;
  let received = 0;
  let headOnly = false;
  let cut = false;

  function end(): true {
    // An answer to HEAD promises what GET would have brought.
    if (promised !== undefined && received !== promised) {
      throw violation(`${received} bytes where its content-length says ${promised}`);
    }
    return true;
  }

  function takeHead(block: readonly Field[], ends: boolean): boolean {
    const next = readHead(block);
    if (next.status >= 200) {
      head = next;
      promised = promisedLength(next, method);
      headOnly = ends;
      listener.head?.(next);
      return ends && end();
    }
    if (ends) throw violation('an interim answer that ends the stream');
    interim++;
    if (interim > MAX_INTERIM) throw violation(`more than ${MAX_INTERIM} interim answers`);
    listener.interim?.(next);
    return false;
  }

  return {
    fields(block, ends) {
      if (!head) return takeHead(block, ends);
      if (!ends) throw violation('HEADERS behind the head that do not end the stream');
      trailers = readTrailers(block);
      listener.trailers?.(trailers);
      return end();
    },
    content(piece, ends) {
      if (!head) throw violation('DATA before HEADERS');
      received += piece.length;
      if (promised !== undefined && received > promised) {
        throw violation(`more content than the ${promised} bytes that there can be`);
      }
      if (piece.length > 0 && !listener.content(piece)) {
        cut = !ends;
        return true;
      }
      return ends && end();
    },
    get began() {
      return head !== undefined;
    },
    get answer() {
      return { status: head!.status, headers: head!.headers, trailers, headOnly, cut };
    },
  };
}
