import {
  ACK,
  HELLO,
  PADDED,
  SETTINGS_ACK,
  data,
  fieldBlock,
  goaway,
  h2Frame,
  headers,
  repeated,
  rstStream,
  settings,
  windowUpdate,
} from '../h2.ts';
import type { OnPeer, OverBoth } from './behaviour.ts';
import { type Saying, illegal, says, saysAtOnce } from './h2-says.ts';
import { endlessly } from './pieces.ts';

const HEAD = headers({ ':status': '200' });
const BLOCK = HEAD.subarray(9);
const CONTINUED = h2Frame('HEADERS', BLOCK, { stream: 1 });

function endless(bytes: Buffer, ...before: readonly Saying[]): OnPeer {
  return says(HELLO, ...before, (socket) => endlessly(socket, bytes));
}

/** What no HTTP/2 server may send, whoever asks. */
export const ILLEGAL_FRAMES: readonly OverBoth[] = [
  illegal('no SETTINGS, but the answer', says(HEAD, data('x', { ends: true })), /HEADERS before SETTINGS/),
  illegal('an acknowledgement before SETTINGS', says(SETTINGS_ACK, HELLO), /acknowledgement before SETTINGS/),
  illegal('GOAWAY before SETTINGS', saysAtOnce(goaway(2)), /GOAWAY before SETTINGS/),
  illegal('SETTINGS on a stream', says(h2Frame('SETTINGS', [], { stream: 1 })), /SETTINGS on stream 1/),
  illegal('SETTINGS of seven bytes', says(h2Frame('SETTINGS', Buffer.alloc(7))), /no multiple of 6/),
  illegal(
    'SETTINGS larger than a frame may be',
    says(h2Frame('SETTINGS', [], { length: 60_000 })),
    /above the limit/,
  ),
  illegal(
    'an acknowledgement that carries settings',
    says(HELLO, h2Frame('SETTINGS', Buffer.alloc(6), { flags: ACK })),
    /acknowledgement/,
  ),
  illegal('two acknowledgements', says(HELLO, SETTINGS_ACK, SETTINGS_ACK), /not sent/),
  illegal('SETTINGS that switch push on', says(settings([2, 1])), /ENABLE_PUSH 1/),
  illegal('SETTINGS with a window of 2 GiB', says(settings([4, 2 ** 31])), /INITIAL_WINDOW_SIZE/),
  illegal('SETTINGS with frames of one byte', says(settings([5, 1])), /MAX_FRAME_SIZE 1/),
  illegal(
    'a window that SETTINGS make too wide',
    says(HELLO, windowUpdate(2 ** 30, 1), settings([4, 2 ** 31 - 1])),
    /window larger/,
  ),
  illegal('a flood of SETTINGS', endless(HELLO), /flood of SETTINGS/),
  illegal('a flood of PING', endless(h2Frame('PING', Buffer.alloc(8))), /flood of PING/),
  illegal('a flood of WINDOW_UPDATE', endless(windowUpdate(1, 1)), /10000 frames.*WINDOW_UPDATE/),
  illegal(
    'a flood of PRIORITY',
    endless(h2Frame('PRIORITY', Buffer.alloc(5), { stream: 3 })),
    /10000 frames.*PRIORITY/,
  ),
  illegal('a flood of frames of no known type', endless(h2Frame(99)), /10000 frames.*type 99/),
  illegal('a flood of empty DATA', endless(data(''), HEAD), /10000 frames.*empty DATA/),
  illegal('PING of four bytes', says(HELLO, h2Frame('PING', Buffer.alloc(4))), /PING of 4 bytes/),
  illegal(
    'PING on a stream',
    says(HELLO, h2Frame('PING', Buffer.alloc(8), { stream: 1 })),
    /PING on stream 1/,
  ),
  illegal('GOAWAY of four bytes', says(HELLO, h2Frame('GOAWAY', Buffer.alloc(4))), /GOAWAY of 4 bytes/),
  illegal(
    'RST_STREAM of three bytes',
    says(HELLO, h2Frame('RST_STREAM', Buffer.alloc(3), { stream: 1 })),
    /RST_STREAM of 3/,
  ),
  illegal('RST_STREAM on stream 0', says(HELLO, rstStream(0, 0)), /RST_STREAM on stream 0/),
  illegal('RST_STREAM on a stream of nobody', says(HELLO, rstStream(0, 5)), /stream 5, which nobody/),
  illegal('WINDOW_UPDATE of 0', says(HELLO, windowUpdate(0)), /WINDOW_UPDATE of 0/),
  illegal('WINDOW_UPDATE of 0 on the stream', says(HELLO, windowUpdate(0, 1)), /WINDOW_UPDATE of 0/),
  illegal('WINDOW_UPDATE beyond the widest', says(HELLO, windowUpdate(2 ** 31 - 1)), /window larger/),
  illegal(
    'WINDOW_UPDATE of three bytes',
    says(HELLO, h2Frame('WINDOW_UPDATE', [0, 0, 1])),
    /WINDOW_UPDATE of 3/,
  ),
  illegal(
    'PRIORITY of four bytes',
    says(HELLO, h2Frame('PRIORITY', Buffer.alloc(4), { stream: 1 })),
    /PRIORITY of 4/,
  ),
  illegal(
    'PUSH_PROMISE',
    says(HELLO, h2Frame('PUSH_PROMISE', [0, 0, 0, 2, 0x88], { flags: 4, stream: 1 })),
    /PUSH_PROMISE/,
  ),
  illegal(
    'a frame of 16 MiB, it says',
    says(HELLO, h2Frame('DATA', [], { stream: 1, length: 2 ** 24 - 1 })),
    /DATA of 16777215 bytes/,
  ),
  illegal(
    'a frame one byte above the limit',
    says(HELLO, HEAD, data(Buffer.alloc(16_385))),
    /above the limit of 16384/,
  ),
  illegal('DATA on stream 0', says(HELLO, data('x', { stream: 0 })), /the server sent DATA on stream 0/),
  illegal('DATA on an even stream', says(HELLO, data('x', { stream: 2 })), /stream 2, which nobody/),
  illegal(
    'HEADERS on a later stream',
    says(HELLO, headers({ ':status': '200' }, { stream: 3 })),
    /stream 3, which nobody/,
  ),
  illegal(
    'HEADERS on stream 0',
    says(HELLO, headers({ ':status': '200' }, { stream: 0 })),
    /HEADERS on stream 0/,
  ),
  illegal('DATA before HEADERS', says(HELLO, data('x')), /DATA before HEADERS/),
  illegal('two heads', says(HELLO, HEAD, HEAD), /HEADERS behind the head/),
  illegal(
    'trailers with a status',
    says(HELLO, HEAD, headers({ ':status': '200' }, { ends: true })),
    /pseudo-header/,
  ),
  illegal(
    'an interim answer that ends the stream',
    says(HELLO, headers({ ':status': '100' }, { ends: true })),
    /interim/,
  ),
  illegal('endless interim answers', endless(headers({ ':status': '103' })), /100 interim/),
  illegal(
    'CONTINUATION alone',
    says(HELLO, h2Frame('CONTINUATION', BLOCK, { flags: 4, stream: 1 })),
    /without HEADERS/,
  ),
  illegal(
    'CONTINUATION of another stream',
    says(HELLO, CONTINUED, h2Frame('CONTINUATION', [], { stream: 3 })),
    /had to follow/,
  ),
  illegal('DATA where CONTINUATION should be', says(HELLO, CONTINUED, data('x')), /DATA where CONTINUATION/),
  illegal(
    'PING where CONTINUATION should be',
    says(HELLO, CONTINUED, h2Frame('PING', Buffer.alloc(8))),
    /PING where/,
  ),
  illegal(
    'endless CONTINUATION',
    endless(h2Frame('CONTINUATION', fieldBlock({ a: 'b'.repeat(9_000) }), { stream: 1 }), CONTINUED),
    /more than 64KiB/,
  ),
  illegal(
    'endless empty CONTINUATION',
    endless(h2Frame('CONTINUATION', [], { stream: 1 }), CONTINUED),
    /1000 CONTINUATION/,
  ),
  illegal(
    'endless trailers',
    endless(
      h2Frame('CONTINUATION', fieldBlock({ a: 'b' }), { stream: 1 }),
      HEAD,
      h2Frame('HEADERS', [], { flags: 1, stream: 1 }),
    ),
    /more than|CONTINUATION/,
  ),
  illegal(
    'a head of 256 kB',
    says(HELLO, CONTINUED, repeated(16, h2Frame('CONTINUATION', Buffer.alloc(16_000, 'a'), { stream: 1 }))),
    /more than 64KiB/,
  ),
  illegal(
    'padding longer than its DATA',
    says(HELLO, HEAD, h2Frame('DATA', [5, 1], { flags: PADDED, stream: 1 })),
    /shorter than its padding/,
  ),
  illegal(
    'padding longer than its HEADERS',
    says(HELLO, h2Frame('HEADERS', [200, 0x88], { flags: 12, stream: 1 })),
    /shorter than its padding/,
  ),
  illegal(
    'a priority that is cut',
    says(HELLO, h2Frame('HEADERS', [0], { flags: 0x24, stream: 1 })),
    /shorter/,
  ),
];
