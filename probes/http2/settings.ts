import { violation } from './faults.ts';
import { DEFAULT_WINDOW, MAX_FRAME, MAX_WINDOW, SETTINGS, frame } from './frames.ts';

/** RFC 9113 section 6.5.2, RFC 8441, RFC 9218. */
const HEADER_TABLE_SIZE = 1;
const ENABLE_PUSH = 2;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
const MAX_HEADER_LIST_SIZE = 6;
const ENABLE_CONNECT_PROTOCOL = 8;
const NO_RFC7540_PRIORITIES = 9;

/** The size of HPACK's table while nobody sets it, which we do not. */
export const DEFAULT_TABLE = 4_096;
export const MAX_HEADER_LIST = 64 * 1024;

/** Of the peer's settings, what concerns us. */
export interface PeerSettings {
  initialWindow: number;
  maxStreams: number;
  tableSize: number;
}

export function initialSettings(): PeerSettings {
  return { initialWindow: DEFAULT_WINDOW, maxStreams: Infinity, tableSize: DEFAULT_TABLE };
}

/** Reads the payload of SETTINGS into `settings`. Throws ProbeFailure for a value out of its range. */
export function applySettings(payload: Buffer, settings: PeerSettings): void {
  for (let at = 0; at < payload.length; at += 6) {
    applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2), settings);
  }
}

function applySetting(id: number, value: number, settings: PeerSettings): void {
  switch (id) {
    case HEADER_TABLE_SIZE:
      settings.tableSize = value;
      break;
    case ENABLE_PUSH:
      // Only a client may switch it on.
      if (value !== 0) throw outOfRange(ENABLE_PUSH, value);
      break;
    case MAX_CONCURRENT_STREAMS:
      settings.maxStreams = value;
      break;
    case INITIAL_WINDOW_SIZE:
      if (value > MAX_WINDOW) throw outOfRange(INITIAL_WINDOW_SIZE, value);
      settings.initialWindow = value;
      break;
    case MAX_FRAME_SIZE:
      if (value < MAX_FRAME || value > 0xff_ffff) throw outOfRange(MAX_FRAME_SIZE, value);
      break;
    case ENABLE_CONNECT_PROTOCOL:
      if (value > 1) throw outOfRange(ENABLE_CONNECT_PROTOCOL, value);
      break;
    case NO_RFC7540_PRIORITIES:
      if (value > 1) throw outOfRange(NO_RFC7540_PRIORITIES, value);
      break;
    default:
      break;
  }
}

const NAMES: readonly string[] = [
  '',
  'HEADER_TABLE_SIZE',
  'ENABLE_PUSH',
  'MAX_CONCURRENT_STREAMS',
  'INITIAL_WINDOW_SIZE',
  'MAX_FRAME_SIZE',
  'MAX_HEADER_LIST_SIZE',
  '',
  'ENABLE_CONNECT_PROTOCOL',
  'NO_RFC7540_PRIORITIES',
];

/** For a person: names and values. */
export function describeSettings(payload: Buffer): string {
  const settings: string[] = [];
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    settings.push(`${NAMES[id] || `setting ${id}`} ${payload.readUInt32BE(at + 2)}`);
  }
  return settings.join(', ');
}

function outOfRange(id: number, value: number): Error {
  return violation(`SETTINGS with ${NAMES[id]} ${value}`);
}

/** What we ask of a server: no push, bounded heads, and that much content in advance. */
export function ownSettings(window: number): Buffer {
  const wanted = [
    [ENABLE_PUSH, 0],
    [INITIAL_WINDOW_SIZE, window],
    [MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST],
  ] as const;
  const payload = Buffer.alloc(6 * wanted.length);
  for (const [at, [id, value]] of wanted.entries()) {
    payload.writeUInt16BE(id, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  }
  return frame(SETTINGS, 0, 0, payload);
}
