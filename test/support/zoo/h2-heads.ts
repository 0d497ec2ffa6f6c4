import { HELLO, data, h2Frame, headers, hpackInteger, hpackText } from '../h2.ts';
import type { OverBoth } from './behaviour.ts';
import { illegal, says } from './h2-says.ts';

const CONTINUED = h2Frame('HEADERS', headers({ ':status': '200' }).subarray(9), { stream: 1 });

function block(...parts: readonly (Buffer | readonly number[])[]): Buffer {
  return h2Frame('HEADERS', Buffer.concat(parts.map((part) => Buffer.from(part))), { flags: 5, stream: 1 });
}

const CANNOT = /cannot be decoded/;

/** Header blocks that cannot be decoded, and fields that no answer may have. */
export const ILLEGAL_HEADS: readonly OverBoth[] = [
  illegal('HPACK: index 0', says(HELLO, block([0x80])), CANNOT),
  illegal('HPACK: an index in no table', says(HELLO, block([0x88, 0xff, 0x7f])), CANNOT),
  illegal('HPACK: a name in no table', says(HELLO, block([0x88, 0x7f, 0x7f, 1, 0x61])), CANNOT),
  illegal(
    'HPACK: a number without an end',
    says(HELLO, block([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    CANNOT,
  ),
  illegal('HPACK: a text that is cut', says(HELLO, block([0x88, 0x00, 0x20, 0x61])), CANNOT),
  illegal(
    'HPACK: a text of a gigabyte',
    says(HELLO, block([0x88, 0x00], hpackInteger(2 ** 28, 7, 0))),
    CANNOT,
  ),
  illegal('HPACK: a field without its value', says(HELLO, block([0x88, 0x00], hpackText('a'))), CANNOT),
  illegal(
    'HPACK: Huffman with wrong padding',
    says(HELLO, block([0x88, 0x00, 0x01, 0x61, 0x81, 0x00])),
    CANNOT,
  ),
  illegal(
    'HPACK: Huffman with padding of a byte',
    says(HELLO, block([0x88, 0x00, 0x01, 0x61, 0x82, 0x1f, 0xff])),
    CANNOT,
  ),
  illegal(
    'HPACK: Huffman with the end of the string',
    says(HELLO, block([0x88, 0x00, 0x01, 0x61, 0x84, 255, 255, 255, 255])),
    CANNOT,
  ),
  illegal('HPACK: a table above our limit', says(HELLO, block(hpackInteger(4_097, 5, 0x20), [0x88])), CANNOT),
  illegal('HPACK: a table size behind a field', says(HELLO, block([0x88, 0x20])), CANNOT),
  illegal(
    'HPACK: a bomb',
    says(
      HELLO,
      CONTINUED,
      h2Frame(
        'CONTINUATION',
        Buffer.concat([
          Buffer.from([0x40]),
          hpackText('a'),
          hpackText('b'.repeat(4_000)),
          Buffer.alloc(10_000, 0xbe),
        ]),
        { flags: 4, stream: 1 },
      ),
    ),
    /more than 64KiB/,
  ),
  illegal('no status', says(HELLO, headers({ server: 'x' })), /without :status/),
  illegal('an empty head', says(HELLO, headers({})), /without :status/),
  illegal(
    'a status that comes late',
    says(
      HELLO,
      headers([
        ['a', 'b'],
        [':status', '200'],
      ]),
    ),
    /does not come first/,
  ),
  illegal(
    'two HTTP statuses',
    says(
      HELLO,
      headers([
        [':status', '200'],
        [':status', '200'],
      ]),
    ),
    /two :status/,
  ),
  illegal('an HTTP status of words', says(HELLO, headers({ ':status': 'fine' })), /:status that is none/),
  illegal('status 99', says(HELLO, headers({ ':status': '99' })), /:status that is none/),
  illegal('status 101', says(HELLO, headers({ ':status': '101' })), /status 101/),
  illegal(
    'a pseudo-header of requests',
    says(HELLO, headers({ ':status': '200', ':path': '/' })),
    /pseudo-header/,
  ),
  illegal('capitals in a name', says(HELLO, headers({ ':status': '200', 'Content-Type': 'x' })), /capitals/),
  illegal(
    'a blank in a name',
    says(HELLO, headers({ ':status': '200', 'a b': 'x' })),
    /field name that is none/,
  ),
  illegal(
    'a line feed in a value',
    says(HELLO, headers({ ':status': '200', a: 'x\r\nb: y' })),
    /no field may have/,
  ),
  illegal('a NUL in a value', says(HELLO, headers({ ':status': '200', a: 'x\0' })), /no field may have/),
  illegal(
    'a value that ends with a blank',
    says(HELLO, headers({ ':status': '200', a: 'x ' })),
    /no field may have/,
  ),
  illegal(
    'connection: keep-alive',
    says(HELLO, headers({ ':status': '200', connection: 'keep-alive' })),
    /connection, which/,
  ),
  illegal(
    'transfer-encoding: chunked',
    says(HELLO, headers({ ':status': '200', 'transfer-encoding': 'chunked' })),
    /transfer-encoding/,
  ),
  illegal(
    'more than its content-length',
    says(HELLO, headers({ ':status': '200', 'content-length': '1' }), data('ab')),
    /more content/,
  ),
  illegal(
    'less than its content-length',
    says(HELLO, headers({ ':status': '200', 'content-length': '9' }), data('ab', { ends: true })),
    /2 bytes where/,
  ),
  illegal(
    'two content-lengths',
    says(
      HELLO,
      headers([
        [':status', '200'],
        ['content-length', '1'],
        ['content-length', '2'],
      ]),
    ),
    /different content-lengths/,
  ),
  illegal(
    'a content-length of words',
    says(HELLO, headers({ ':status': '200', 'content-length': 'x' })),
    /content-length that is none/,
  ),
];
