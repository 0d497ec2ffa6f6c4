import { describe, expect, test } from 'vitest';
import { type Field, createHpackDecoder } from '../../../probes/http2/hpack-decoder.ts';
import { encodeFields } from '../../../probes/http2/hpack-encoder.ts';
import { decodeHuffman } from '../../../probes/http2/huffman.ts';
import { bounded } from '../../support/bounded.ts';
import { hpackInteger, hpackText } from '../../support/h2.ts';

function hex(written: string): Buffer {
  return Buffer.from(written.replaceAll(' ', ''), 'hex');
}

function decoder({ table = 4_096, list = 65_536 } = {}) {
  return createHpackDecoder({ table, list });
}

const REQUESTS: Field[][] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

const RESPONSES: Field[][] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

describe('the examples of RFC 7541 appendix C', () => {
  test.each<[string, string, Field]>([
    [
      'C.2.1',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
    ],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['C.2.4', '82', [':method', 'GET']],
  ])('%s', (_section, block, field) => expect(decoder().decode(hex(block))).toEqual([field]));

  test.each<[string, number, string[], Field[][]]>([
    [
      'C.3: requests',
      4_096,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      REQUESTS,
    ],
    [
      'C.4: requests with Huffman codes',
      4_096,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      REQUESTS,
    ],
    [
      'C.5: responses, with evictions',
      256,
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
      RESPONSES,
    ],
    [
      'C.6: responses with Huffman codes, with evictions',
      256,
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
      RESPONSES,
    ],
  ])('%s', (_what, table, blocks, expected) => {
    const { decode } = decoder({ table });
    expect(blocks.map((block) => decode(hex(block)))).toEqual(expected);
  });
});

describe('Huffman codes', () => {
  // Codes of RFC 7541 appendix B of each length: the table is made of lengths alone.
  test.each<[number, number, number]>([
    [0, 0x1ff8, 13],
    [1, 0x7fffd8, 23],
    [9, 0xffffea, 24],
    [10, 0x3ffffffc, 30],
    [22, 0x3ffffffe, 30],
    [31, 0xffffffb, 28],
    [32, 0x14, 6],
    [33, 0x3f8, 10],
    [35, 0xffa, 12],
    [38, 0xf8, 8],
    [39, 0x7fa, 11],
    [48, 0x0, 5],
    [58, 0x5c, 7],
    [60, 0x7ffc, 15],
    [90, 0xfd, 8],
    [92, 0x7fff0, 19],
    [94, 0x3ffc, 14],
    [122, 0x7b, 7],
    [127, 0xffffffc, 28],
    [128, 0xfffe6, 20],
    [153, 0x1fffdc, 21],
    [195, 0x7fff1, 19],
    [199, 0x1ffffec, 25],
    [203, 0x7ffffde, 27],
    [220, 0xffffffd, 28],
    [228, 0x3fffe9, 22],
    [249, 0xffffffe, 28],
    [254, 0x7fffff0, 27],
    [255, 0x3ffffee, 26],
  ])('symbol %i', (symbol, code, length) => {
    const bits = `${code.toString(2).padStart(length, '0')}${'1'.repeat((8 - (length % 8)) % 8)}`;
    const bytes = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
    expect(decodeHuffman(bytes)).toBe(String.fromCharCode(symbol));
  });

  test.each([
    ['padding of a whole byte', '1fff', 'wrong padding'],
    ['padding of a whole byte alone', 'ff', 'wrong padding'],
    ['padding with a zero', '1e', 'wrong padding'],
    ['a code that is cut', 'fffe', 'wrong padding'],
    ['the end of the string', 'fffffffc', 'end-of-string'],
    ['the end of the string inside', '1fffffff ff', 'end-of-string'],
  ])('%s', (_what, code, message) => expect(() => decodeHuffman(hex(code))).toThrow(message));

  test('nothing at all', () => expect(decodeHuffman(Buffer.alloc(0))).toBe(''));
});

describe('what cannot be decoded', () => {
  const entry = Buffer.concat([Buffer.from([0x40]), hpackText('a'), hpackText('b')]);

  test.each<[string, Buffer, string]>([
    ['index 0', hex('80'), 'index 0 is in no table'],
    ['an index behind both tables', hex('bf'), 'index 63 is in no table'],
    ['a name behind both tables', hex('7f00 0161'), 'index 63 is in no table'],
    ['an entry that was put out', Buffer.concat([hex('20'), hex('3fe11f'), hex('be')]), 'index 62'],
    ['a number without an end', hex('ffff ffff ff'), 'too large'],
    ['a number with too many zeros', hex('ff80 8080 8080 00'), 'too large'],
    ['a number that is cut', hex('ff'), 'end in the middle'],
    ['a literal without its name', hex('40'), 'end in the middle'],
    ['a name that is cut', hex('4003 6162'), 'end in the middle'],
    ['a literal without its value', hex('4001 61'), 'end in the middle'],
    ['a value that is cut', hex('4001 6102 62'), 'end in the middle'],
    ['a value of a gigabyte', hex('4001 617f ffff ff7f'), 'end in the middle'],
    ['a larger table than we allow', hex('3fe2 1f'), 'a table of 4097 bytes, above the limit of 4096'],
    ['a table size behind a field', hex('8220'), 'a new table size behind a field'],
    ['a bad Huffman code', hex('4001 6181 ff'), 'wrong padding'],
  ])('%s', (_what, block, message) => {
    const { decode } = decoder();
    decode(entry);
    expect(() => decode(block)).toThrow(message);
  });

  test('what comes out is bounded, however little goes in', () => {
    const { decode } = decoder();
    decode(Buffer.concat([Buffer.from([0x40]), hpackText('a'), hpackText('b'.repeat(4_000))]));
    const bomb = Buffer.alloc(60_000, 0xbe);
    expect(() => bounded(() => decode(bomb))).toThrow('headers of more than 64KiB');
  });
});

describe('the table', () => {
  const { decode } = decoder({ table: 100 });
  const add = (name: string): Buffer => Buffer.concat([Buffer.from([0x40]), hpackText(name), hpackText('')]);

  test('the oldest go first, and one that is larger than the table empties it', () => {
    for (const name of ['a', 'b', 'c', 'd']) decode(add(name));
    expect(decode(hex('be bf c0')).map(([name]) => name)).toEqual(['d', 'c', 'b']);
    expect(() => decode(hex('c1'))).toThrow('index 65');
    decode(add('x'.repeat(80)));
    expect(() => decode(hex('be'))).toThrow('index 62');
  });

  test('a smaller table loses entries for good', () => {
    decode(add('a'));
    decode(add('b'));
    expect(decode(Buffer.concat([hpackInteger(40, 5, 0x20), hex('be')]))).toEqual([['b', '']]);
    decode(hpackInteger(100, 5, 0x20));
    expect(() => decode(hex('bf'))).toThrow('index 63');
  });

  test('a name from the table whose entry is pushed out by what it names', () => {
    const { decode } = decoder({ table: 64 });
    decode(Buffer.concat([Buffer.from([0x40]), hpackText('name'), hpackText('')]));
    const again = Buffer.concat([hpackInteger(62, 6, 0x40), hpackText('v'.repeat(20))]);
    expect(decode(again)).toEqual([['name', 'v'.repeat(20)]]);
    expect(decode(hex('be'))).toEqual([['name', 'v'.repeat(20)]]);
  });
});

test('what we encode is decoded', () => {
  const fields: Field[] = [
    [':method', 'POST'],
    [':path', '/a'],
    [':authority', ''],
    ['authorization', 'Bearer x'],
    ['x-long', 'v'.repeat(70_000)],
    ['latin', '\u00e4\u00ff'],
    ['empty', ''],
  ];
  const { decode } = decoder({ list: 100_000 });
  expect(decode(encodeFields(fields))).toEqual(fields);
  expect(() => decode(hex('be'))).toThrow('index 62');
  expect(encodeFields([['authorization', 'x']])).toEqual(hex('1f08 0178'));
});
