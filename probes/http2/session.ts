import { ProbeFailure } from '../wire/reason.ts';
import { type Answer, type AnswerListener, type AnswerReader, createAnswerReader } from './answer-reader.ts';
import { violation } from './faults.ts';
import { type Block, createBlockReader } from './block-reader.ts';
import { createFloodGuard } from './flood.ts';
import { createFrameReader } from './frame-reader.ts';
import { checkBeginning, checkHead } from './frame-rules.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_STREAM,
  type FrameHead,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  errorName,
  frame,
  readGoaway,
  typeName,
  withoutPadding,
} from './frames.ts';
import { createReceiveWindows } from './receive-windows.ts';
import { type Request, createSender } from './sender.ts';
import { applySettings, describeSettings, initialSettings, ownSettings } from './settings.ts';

const MAX_STREAM = 2 ** 31 - 1;

export interface SessionOptions {
  write(bytes: Buffer): void;
  /** Content that the server may send in advance; at least 65,535. */
  readonly window: number;
  /**
   * Whether an orderly GOAWAY that lets our request through is taken as such (RFC 9113 section 6.8), or as a server that
   * is about to go.
   */
  readonly bearsGoaway: boolean;
  /** Whether there may be another request: without one, nobody waits for what we would say after the answer. */
  readonly keeps: boolean;
}

export interface ExchangeListener extends AnswerListener {
  done(answer: Answer): void;
  /** A ProbeFailure, or a bug. */
  failed(error: Error): void;
  /** A frame that says something about the server. */
  frame?(name: string, text: string): void;
}

/**
 * The client's side of an HTTP/2 connection for one request at a time: bytes in, bytes out, no socket and no time.
 * Strict by RFC 9113 and bounded in all that a server can send. What is wrong goes to the listener of the open request;
 * while none is open, it only makes the session useless.
 */
export interface Session {
  /** Only while it is usable. The first request goes out without waiting for the server. */
  open(request: Request, listener: ExchangeListener): void;
  push(chunk: Buffer): void;
  /** The connection has ended, and how. */
  ended(how: 'closed' | 'reset'): void;
  /** Whether another request can be sent. */
  readonly usable: boolean;
}

interface Exchange {
  readonly id: number;
  readonly reader: AnswerReader;
  readonly listener: ExchangeListener;
}

export function createSession({ write, window, bearsGoaway, keeps }: SessionOptions): Session {
  const peer = initialSettings();
  const blocks = createBlockReader();
  let output: Buffer[] = [PREFACE, ownSettings(window)];
  const emit = (bytes: Buffer): void => void output.push(bytes);
  const sender = createSender(emit, peer);
  const windows = createReceiveWindows(emit, window);
  const frames = createFrameReader({ beginning: checkBeginning, head: takeHead, frame: takeFrame });
  const flood = createFloodGuard();
  let current: Exchange | undefined;
  let newest = -1;
  let greeted = false;
  let acknowledged = false;
  let useless = false;
  let goneAway = '';

  function flush(): void {
    if (output.length > 0 && !useless && (current || keeps))
      write(output.length === 1 ? output[0]! : Buffer.concat(output));
    output = [];
  }

  function fail(error: Error): void {
    useless = true;
    const failed = current;
    current = undefined;
    failed?.listener.failed(error);
  }

  function complete(exchange: Exchange): void {
    const { answer } = exchange.reader;
    current = undefined;
    // What follows on that stream would have to be let pass; another connection is simpler.
    if (answer.cut || !sender.sent) useless = true;
    exchange.listener.done(answer);
  }

  function takeHead(head: FrameHead): void {
    const { type, flags } = head;
    if (!greeted && (flags & ACK) !== 0) throw violation('an acknowledgement before SETTINGS');
    checkHead(head);
    greeted = true;
    blocks.expect(head);
    checkState(head);
    if (type !== DATA && type !== HEADERS && type !== CONTINUATION) flood.aside(typeName(type));
  }

  /** RFC 9113 section 5.1: which frames a stream may carry by now. */
  function checkState({ type, stream }: FrameHead): void {
    if (stream === 0 || stream === current?.id || type === PRIORITY || type > CONTINUATION) return;
    if (stream % 2 === 0 || stream > newest) {
      throw violation(`${typeName(type)} on stream ${stream}, which nobody has opened`);
    }
    if (type !== RST_STREAM && type !== WINDOW_UPDATE) {
      throw violation(`${typeName(type)} on stream ${stream}, which has ended`);
    }
  }

  function takeFrame(head: FrameHead, payload: Buffer): void {
    switch (head.type) {
      case DATA:
        takeData(head, payload);
        break;
      case HEADERS:
      case CONTINUATION:
        takeBlock(blocks.take(head, payload));
        break;
      case RST_STREAM:
        if (current?.id === head.stream) throw resetStream(payload.readUInt32BE(0), current.reader.began);
        break;
      case SETTINGS:
        takeSettings(head, payload);
        break;
      case PING:
        if ((head.flags & ACK) === 0) {
          flood.chore('PING');
          emit(frame(PING, ACK, 0, payload));
        }
        break;
      case GOAWAY:
        takeGoaway(payload);
        break;
      case WINDOW_UPDATE:
        takeWindowUpdate(head, payload.readUInt32BE(0) & 0x7fff_ffff);
        break;
      default:
        break;
    }
  }

  function takeData(head: FrameHead, payload: Buffer): void {
    const exchange = current!;
    const piece = withoutPadding(head, payload);
    const ends = (head.flags & END_STREAM) !== 0;
    if (piece.length === 0) flood.aside('empty DATA');
    windows.used(head.stream, head.length, ends);
    if (exchange.reader.content(piece, ends)) complete(exchange);
  }

  function takeBlock(block: Block | undefined): void {
    const exchange = current!;
    if (block && exchange.reader.fields(block.fields, block.ends)) complete(exchange);
  }

  function takeSettings({ flags }: FrameHead, payload: Buffer): void {
    if ((flags & ACK) !== 0) {
      if (acknowledged) throw violation('an acknowledgement of SETTINGS that we have not sent');
      acknowledged = true;
      return;
    }
    flood.chore('SETTINGS');
    const before = { ...peer };
    applySettings(payload, peer);
    emit(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
    sender.adapt(before);
    current?.listener.frame?.('SETTINGS', describeSettings(payload));
  }

  function takeGoaway(payload: Buffer): void {
    const { last, code, why } = readGoaway(payload);
    goneAway = ` after GOAWAY (${why})`;
    current?.listener.frame?.('GOAWAY', `${why}, last stream ${last}`);
    if (current && (code !== 0 || last < current.id || !bearsGoaway)) {
      throw violation(`GOAWAY (${why}) before the answer`);
    }
  }

  function takeWindowUpdate({ stream }: FrameHead, increment: number): void {
    if (increment === 0) throw violation('WINDOW_UPDATE of 0');
    if (stream === 0) sender.widen('connection', increment);
    else if (stream === current?.id) sender.widen('stream', increment);
  }

  return {
    open(request, listener) {
      newest += 2;
      flood.open();
      current = { id: newest, reader: createAnswerReader(request.method, listener), listener };
      windows.open();
      sender.open(newest, request);
      flush();
    },
    push(chunk) {
      if (useless) return;
      try {
        frames.push(chunk);
      } catch (error) {
        // A bug, too: thrown on, it would end the process from inside of a socket's listener.
        fail(error as Error);
      }
      flush();
    },
    ended(how) {
      useless = true;
      // Most connections end in peace, and an error has a stack to be written down.
      if (!current) return;
      const where = current.reader.began ? 'inside the answer' : 'without an answer';
      fail(new ProbeFailure(how, `the server ${how} the connection ${where}${goneAway}`));
    },
    get usable() {
      return !useless && goneAway === '' && !current && newest + 2 < MAX_STREAM && peer.maxStreams > 0;
    },
  };
}

function resetStream(code: number, began: boolean): ProbeFailure {
  const where = began ? 'inside' : 'before';
  return new ProbeFailure('protocol', `the server reset the stream ${where} the answer (${errorName(code)})`);
}
