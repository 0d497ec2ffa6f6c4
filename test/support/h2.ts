import type { Socket } from 'node:net';

/**
 * HTTP/2 by hand, for servers that say exactly what they are told to, legal or not. Written apart from the client that
 * it tests: what both got wrong would not be seen.
 */
const TYPES = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const ACK = 1;
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITIZED = 0x20;

export interface FrameOptions {
  readonly flags?: number;
  readonly stream?: number;
  /** What the head says, where it lies. */
  readonly length?: number;
}

export function h2Frame(
  type: keyof typeof TYPES | number,
  payload: readonly number[] | Buffer = [],
  { flags = 0, stream = 0, length = payload.length }: FrameOptions = {},
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = typeof type === 'number' ? type : TYPES[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, 4 * at);
  return bytes;
}

/** SETTINGS with these. */
export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const parts = entries.map(([id, value]) =>
    Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]),
  );
  return h2Frame('SETTINGS', Buffer.concat(parts));
}

/** What a server says first. */
export const HELLO = settings();
export const SETTINGS_ACK = h2Frame('SETTINGS', [], { flags: ACK });

/** A header block: each field a literal that nobody indexes (RFC 7541 section 6.2.2). */
export function fieldBlock(fields: Readonly<Record<string, string>> | readonly [string, string][]): Buffer {
  const list = Array.isArray(fields) ? (fields as [string, string][]) : Object.entries(fields);
  return Buffer.concat(
    list.flatMap(([name, value]) => [Buffer.from([0]), hpackText(name), hpackText(value)]),
  );
}

/** A text as it is, with its length before it. */
export function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([hpackInteger(bytes.length, 7, 0), bytes]);
}

export function hpackInteger(value: number, prefix: number, flags: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([flags | value]);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** HEADERS in one frame on stream 1. */
export function headers(
  fields: Readonly<Record<string, string>> | readonly [string, string][],
  { ends = false, stream = 1 } = {},
): Buffer {
  return h2Frame('HEADERS', fieldBlock(fields), { flags: END_HEADERS | (ends ? END_STREAM : 0), stream });
}

export function data(
  payload: readonly number[] | Buffer | string,
  { ends = false, stream = 1 } = {},
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return h2Frame('DATA', bytes, { flags: ends ? END_STREAM : 0, stream });
}

export function rstStream(code: number, stream = 1): Buffer {
  return h2Frame('RST_STREAM', uint32(code), { stream });
}

export function goaway(code: number, { last = 0, words = '' } = {}): Buffer {
  return h2Frame('GOAWAY', Buffer.concat([uint32(last, code), Buffer.from(words)]));
}

export function windowUpdate(increment: number, stream = 0): Buffer {
  return h2Frame('WINDOW_UPDATE', uint32(increment), { stream });
}

export function repeated(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

/** A gRPC message. */
export function grpcMessage(bytes: readonly number[], { flag = 0, length = bytes.length } = {}): Buffer {
  return Buffer.concat([Buffer.from([flag]), uint32(length), Buffer.from(bytes)]);
}

export const SERVING = grpcMessage([8, 1]);
export const GRPC_HEAD = headers({ ':status': '200', 'content-type': 'application/grpc' });
export const GRPC_END = headers({ 'grpc-status': '0' }, { ends: true });
/** An answer of SERVING, from SETTINGS on. */
export const GRPC_ANSWER: readonly Buffer[] = [HELLO, SETTINGS_ACK, GRPC_HEAD, data(SERVING), GRPC_END];

export interface ClientFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const PREFACE_BYTES = 24;

/** Calls for every frame that a client sends, its preface left out. */
export function onClientFrame(socket: Socket, hear: (frame: ClientFrame) => void): void {
  let pending = Buffer.alloc(0);
  let toSkip = PREFACE_BYTES;
  socket.on('data', (chunk: Buffer) => {
    const skipped = Math.min(toSkip, chunk.length);
    toSkip -= skipped;
    pending = Buffer.concat([pending, chunk.subarray(skipped)]);
    while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
      const end = 9 + pending.readUIntBE(0, 3);
      hear({
        type: pending[3]!,
        flags: pending[4]!,
        stream: pending.readUInt32BE(5),
        payload: pending.subarray(9, end),
      });
      pending = pending.subarray(end);
    }
  });
}

/** Calls once the client's request has begun: its HEADERS are there. */
export function onRequest(socket: Socket, act: (frame: ClientFrame) => void): void {
  onClientFrame(socket, (frame) => {
    if (frame.type === TYPES.HEADERS) act(frame);
  });
}
