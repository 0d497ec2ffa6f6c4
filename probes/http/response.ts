import { createGrowingBuffer } from '../wire/growing-buffer.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { printable } from '../wire/printable.ts';
import { contentLength, endOfHead, malformed, parseFields } from './head.ts';
import { createPending } from './pending.ts';

/** Everything before the body: interim answers, the head, and the trailers after a chunked body. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Chunks may be small, but not an endless flood of single bytes. */
const MAX_FRAMING = 256 * 1024;
const MAX_INTERIM = 100;
const MAX_CHUNK_LINE = 256;

export interface Response {
  readonly status: number;
  readonly statusLine: string;
  /** Names in lower case; several headers of one name keep their order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  /** The body was longer than the limit; what is past it was not read. */
  readonly tooLarge: boolean;
}

export interface ReaderOptions {
  readonly method: string;
  /** Bytes of the body after which reading ends. */
  readonly maxBody: number;
  readonly keepBody: boolean;
}

/**
 * Reads one HTTP/1.x response, strictly by RFC 9112: whatever leaves its end in doubt is a failure, never a success.
 * `push` takes bytes as they come and tells whether the response is complete; `end` is for the peer's orderly close.
 * Both throw ProbeFailure.
 */
export interface ResponseReader {
  push(chunk: Buffer): boolean;
  end(): void;
  /** The response; only once it is complete. */
  readonly response: Response;
  /** Whether the connection can carry another one (RFC 9112 section 9.3). */
  readonly reusable: boolean;
  /** Bytes that came behind the response. */
  readonly rest: number;
}

const HTTP1 = 'HTTP/1.';

type Stage =
  | 'head'
  | 'sized'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailers'
  | 'until-close'
  | 'done';

export function createResponseReader({ method, maxBody, keepBody }: ReaderOptions): ResponseReader {
  let stage: Stage = 'head';
  let pending: Buffer = Buffer.alloc(0);
  const join = createPending();
  /** Where the end of the head has been looked for already. */
  let searched = 0;
  let headBytes = 0;
  let interim = 0;
  let status = 0;
  let statusLine = '';
  /** The server said that it closes, or only its closing ends the body. */
  let closes = false;
  let headers = new Map<string, string[]>();
  /** Bytes that the sized body or the current chunk still lacks. */
  let missing = 0;
  let received = 0;
  const kept = createGrowingBuffer();
  /** Bytes of chunk-size lines and chunk ends. */
  let framing = 0;
  let tooLarge = false;

  /** One line without its end, or undefined until it is all there. */
  function takeLine(limit: number, tooLong: string): string | undefined {
    const at = pending.indexOf(0x0a);
    if ((at === -1 ? pending.length : at) > limit) throw malformed(tooLong);
    if (at === -1) return undefined;
    const end = at > 0 && pending[at - 1] === 0x0d ? at - 1 : at;
    const line = pending.toString('latin1', 0, end);
    pending = pending.subarray(at + 1);
    framing += at + 1;
    if (framing > MAX_FRAMING + received) throw malformed('more framing than body');
    return line;
  }

  /** The lines of a head or of trailers, or undefined until the empty line has come. */
  function takeHead(): string[] | undefined {
    const end = endOfHead(pending, searched);
    // An end that is not all there yet has begun at one of the last two bytes.
    searched = end === undefined ? Math.max(0, pending.length - 2) : 0;
    if (headBytes + (end ?? pending.length) > MAX_HEAD_BYTES)
      throw malformed('the head is larger than 64KiB');
    if (end === undefined) return undefined;
    headBytes += end;
    const text = pending.toString('latin1', 0, end);
    pending = pending.subarray(end);
    return text.split(/\r?\n/).slice(0, -2);
  }

  function readHead(): boolean {
    // A server of another protocol may greet and then wait: what it says is enough to know.
    const beginning = pending.toString('latin1', 0, HTTP1.length);
    if (!HTTP1.startsWith(beginning)) throw malformed('the server does not speak HTTP/1');
    const lines = takeHead();
    if (!lines) return false;
    const [first = '', ...fields] = lines;
    statusLine = first;
    const match = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\0\r]*)?$/.exec(statusLine);
    if (!match) throw malformed(`not an HTTP/1 status line: ${printable(statusLine)}`);
    status = Number(match[2]);
    closes = match[1] === '0';
    headers = parseFields(fields);
    if (status === 101) throw malformed('the server switched protocols unasked');
    if (status >= 200) {
      chooseFraming();
      return true;
    }
    interim++;
    if (interim > MAX_INTERIM) throw malformed(`more than ${MAX_INTERIM} interim answers`);
    return true;
  }

  /** RFC 9112 section 6.3. */
  function chooseFraming(): void {
    const lengths = headers.get('content-length');
    const codings = headers.get('transfer-encoding');
    if (codings && lengths) throw malformed('both Content-Length and Transfer-Encoding');
    if (codings) {
      const coding = codings.join(',').toLowerCase();
      if (closes) throw malformed('Transfer-Encoding in an HTTP/1.0 response');
      if (coding !== 'chunked') throw malformed(`unknown transfer coding: ${printable(coding)}`);
    }
    const length = lengths && contentLength(lengths);
    if (/\bclose\b/i.test(headers.get('connection')?.join(',') ?? '')) closes = true;
    if (method === 'HEAD' || method === 'CONNECT' || status === 204 || status === 304) stage = 'done';
    else if (codings) stage = 'chunk-size';
    else if (length === undefined) {
      stage = 'until-close';
      closes = true;
    } else {
      missing = length;
      stage = length === 0 ? 'done' : 'sized';
    }
  }

  function takeBody(limit: number): void {
    const part = pending.subarray(0, limit);
    pending = pending.subarray(part.length);
    missing -= part.length;
    const room = maxBody - received;
    received += part.length;
    if (keepBody && room > 0) kept.add(part.subarray(0, room));
    if (received > maxBody) {
      tooLarge = true;
      stage = 'done';
    }
  }

  function readChunkSize(): boolean {
    const line = takeLine(MAX_CHUNK_LINE, 'a chunk-size line is too long');
    if (line === undefined) return false;
    const size = /^0*([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw malformed(`not a chunk size: ${printable(line)}`);
    missing = Number.parseInt(size, 16);
    stage = missing === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  function readChunkEnd(): boolean {
    const tooLong = 'a chunk is longer than its size says';
    const line = takeLine(1, tooLong);
    if (line === undefined) return false;
    if (line !== '') throw malformed(tooLong);
    stage = 'chunk-size';
    return true;
  }

  /** Trailers end like a head does, or at once with an empty line. */
  function readTrailers(): boolean {
    const empty = /^\r?\n/.exec(pending.toString('latin1', 0, 2));
    if (empty) pending = pending.subarray(empty[0].length);
    else {
      if (pending.length < 2) return false;
      const lines = takeHead();
      if (!lines) return false;
      parseFields(lines);
    }
    stage = 'done';
    return true;
  }

  /** Reads on in the current stage; false where it needs more bytes. */
  function step(): boolean {
    switch (stage) {
      case 'head':
        return readHead();
      case 'chunk-size':
        return readChunkSize();
      case 'chunk-end':
        return readChunkEnd();
      case 'trailers':
        return readTrailers();
      case 'sized':
      case 'chunk-data': {
        if (pending.length === 0) return false;
        const current = stage;
        takeBody(missing);
        if (stage === current && missing === 0) stage = current === 'sized' ? 'done' : 'chunk-end';
        return true;
      }
      case 'until-close':
        if (pending.length === 0) return false;
        takeBody(pending.length);
        return true;
      case 'done':
        return false;
    }
  }

  return {
    push(chunk) {
      pending = join(pending, chunk);
      while (step());
      return stage === 'done';
    },
    end() {
      if (stage === 'until-close') stage = 'done';
      if (stage === 'done') return;
      const nothing = stage === 'head' && headBytes === 0 && pending.length === 0;
      const where = nothing ? 'without an answer' : stage === 'head' ? 'inside the head' : 'inside the body';
      throw new ProbeFailure('closed', `the server closed the connection ${where}`);
    },
    get response() {
      return { status, statusLine, headers, body: kept.bytes(), tooLarge };
    },
    get reusable() {
      return stage === 'done' && !closes && !tooLarge && pending.length === 0;
    },
    get rest() {
      return pending.length;
    },
  };
}
