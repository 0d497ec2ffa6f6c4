import { shown } from '../wire/shown.ts';
import { violation } from './faults.ts';

/** RFC 9113 section 6; the place in the list is the type's number. */
const NAMES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const ACK = 0x01;
export const END_STREAM = 0x01;
export const END_HEADERS = 0x04;
export const PADDED = 0x08;
export const HAS_PRIORITY = 0x20;

export const HEAD_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE unless set otherwise, which neither side has to. */
export const MAX_FRAME = 16_384;
export const MAX_WINDOW = 2 ** 31 - 1;
export const DEFAULT_WINDOW = 65_535;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface FrameHead {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
}

export function typeName(type: number): string {
  return NAMES[type] ?? `a frame of type ${type}`;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

export function windowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(increment);
  return frame(WINDOW_UPDATE, 0, stream, payload);
}

/** RFC 9113 section 7. */
const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

export function errorName(code: number): string {
  return ERRORS[code] ?? `code ${code}`;
}

/** RFC 9113 sections 6.1 and 6.2: the payload of DATA or HEADERS without what surrounds it. */
export function withoutPadding({ type, flags }: FrameHead, payload: Buffer): Buffer {
  const padded = (flags & PADDED) !== 0;
  const from = (padded ? 1 : 0) + (type === HEADERS && (flags & HAS_PRIORITY) !== 0 ? 5 : 0);
  const to = payload.length - (padded ? (payload[0] ?? 0) : 0);
  if (from > to) throw violation(`${typeName(type)} that is shorter than its padding`);
  return payload.subarray(from, to);
}

export interface Goaway {
  /** The last stream that the server will still answer. */
  readonly last: number;
  readonly code: number;
  /** The code's name, and what the server has to say. */
  readonly why: string;
}

export function readGoaway(payload: Buffer): Goaway {
  const code = payload.readUInt32BE(4);
  const words = payload.length === 8 ? '' : `, ${shown(payload.subarray(8))}`;
  return { last: payload.readUInt32BE(0) & 0x7fff_ffff, code, why: `${errorName(code)}${words}` };
}
