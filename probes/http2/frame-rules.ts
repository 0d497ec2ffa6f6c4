import { violation } from './faults.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  type FrameHead,
  GOAWAY,
  HEADERS,
  MAX_FRAME,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  typeName,
} from './frames.ts';
import { ProbeFailure } from '../wire/reason.ts';

/** What the first byte of other protocols gives away. */
const STRANGERS: ReadonlyMap<number, string> = new Map([
  [0x48, ', it sounds like HTTP/1'],
  [0x15, ', it sounds like TLS'],
  [0x53, ', it sounds like SSH'],
]);

/**
 * RFC 9113 section 3.4: a server begins with SETTINGS. Judges as many bytes of that frame's head as there are, in
 * their order, so that the verdict does not depend on how they arrive. Throws ProbeFailure.
 */
export function checkBeginning(bytes: Buffer): void {
  const [length, , , type] = bytes;
  // Frames of 64 KiB and more are above our limit.
  if (length! > 0) {
    const guess = STRANGERS.get(length!) ?? '';
    throw new ProbeFailure('protocol', `the server does not speak HTTP/2${guess}`);
  }
  if (type === undefined || type === SETTINGS) return;
  if (type > CONTINUATION) throw new ProbeFailure('protocol', 'the server does not speak HTTP/2');
  throw violation(`${typeName(type)} before SETTINGS`);
}

/** What a frame's head says against the frame, whatever state its connection is in. Throws ProbeFailure. */
export function checkHead({ type, length, flags, stream }: FrameHead): void {
  const name = typeName(type);
  if (length > MAX_FRAME) throw violation(`${name} of ${length} bytes, above the limit of ${MAX_FRAME}`);
  switch (type) {
    case SETTINGS:
      onConnection(name, stream);
      if ((flags & ACK) !== 0) exactly(`an acknowledgement of ${name}`, length, 0);
      else if (length % 6 !== 0) throw violation(`${name} of ${length} bytes, which is no multiple of 6`);
      break;
    case PING:
      onConnection(name, stream);
      exactly(name, length, 8);
      break;
    case GOAWAY:
      onConnection(name, stream);
      if (length < 8) throw violation(`${name} of ${length} bytes`);
      break;
    case WINDOW_UPDATE:
      exactly(name, length, 4);
      break;
    case RST_STREAM:
      onStream(name, stream);
      exactly(name, length, 4);
      break;
    case PRIORITY:
      onStream(name, stream);
      exactly(name, length, 5);
      break;
    case DATA:
    case HEADERS:
    case CONTINUATION:
      onStream(name, stream);
      break;
    case PUSH_PROMISE:
      throw violation(`${name}, although we have switched that off`);
    default:
      // Section 4.1: what is not known is ignored.
      break;
  }
}

function exactly(name: string, length: number, right: number): void {
  if (length !== right) throw violation(`${name} of ${length} bytes instead of ${right}`);
}

function onConnection(name: string, stream: number): void {
  if (stream !== 0) throw violation(`${name} on stream ${stream}, where it belongs to the connection`);
}

function onStream(name: string, stream: number): void {
  if (stream === 0) throw violation(`${name} on stream 0`);
}
