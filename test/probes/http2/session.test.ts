import { describe, expect, test, vi } from 'vitest';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  HELLO,
  PADDED,
  PRIORITIZED,
  SETTINGS_ACK,
  data,
  fieldBlock,
  goaway,
  h2Frame,
  headers,
  repeated,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../../support/h2.ts';
import { GET, type HearingOptions, ask, hearing, verdictOf } from '../../support/h2-exchange.ts';

const HEAD = headers({ ':status': '200' });
const EMPTY = headers({ ':status': '204' }, { ends: true });
const BLOCK = fieldBlock({ ':status': '200' });

/** What comes of these bytes from the server, and of the end of the connection after them. */
function verdict(frames: readonly Buffer[], options: HearingOptions = {}): string {
  const heard = hearing(options);
  for (const bytes of frames) heard.session.push(bytes);
  return verdictOf(heard);
}

describe('answers', () => {
  test.each<[string, Buffer[], string]>([
    ['a head alone', [HELLO, EMPTY], '204'],
    ['content and trailers', [HELLO, HEAD, data('abc'), headers({ a: '1' }, { ends: true })], '200 abc a=1'],
    ['content in pieces', [HELLO, HEAD, data('a'), data(''), data('b', { ends: true })], '200 ab'],
    ['interim answers', [HELLO, headers({ ':status': '100' }), headers({ ':status': '103' }), EMPTY], '204'],
    [
      'padding, and a priority',
      [
        HELLO,
        h2Frame(
          'HEADERS',
          Buffer.concat([Buffer.from([2]), uint32(0), Buffer.from([16]), BLOCK, Buffer.alloc(2)]),
          {
            flags: END_HEADERS | PADDED | PRIORITIZED,
            stream: 1,
          },
        ),
        h2Frame('DATA', Buffer.concat([Buffer.from([3]), Buffer.from('xy'), Buffer.alloc(3)]), {
          flags: PADDED | END_STREAM,
          stream: 1,
        }),
      ],
      '200 xy',
    ],
    [
      'a head in single bytes of CONTINUATION',
      [
        HELLO,
        h2Frame('HEADERS', [], { flags: END_STREAM, stream: 1 }),
        ...[...BLOCK].map((byte) => h2Frame('CONTINUATION', [byte], { stream: 1 })),
        h2Frame('CONTINUATION', [], { flags: END_HEADERS, stream: 1 }),
      ],
      '200',
    ],
    [
      'what is to be ignored',
      [
        h2Frame('SETTINGS', settings([99, 1]).subarray(9), { flags: 0xfe }),
        h2Frame(77, [1, 2, 3], { stream: 9, flags: 255 }),
        h2Frame('PRIORITY', [0, 0, 0, 0, 1], { stream: 7 }),
        h2Frame('PING', Buffer.alloc(8), { flags: ACK }),
        SETTINGS_ACK,
        windowUpdate(5),
        windowUpdate(5, 1),
        EMPTY,
      ],
      '204',
    ],
    ['a reserved bit', [HELLO, h2Frame('HEADERS', BLOCK, { flags: 5, stream: 0x8000_0001 })], '200'],
    ['what comes behind the end', [HELLO, EMPTY, Buffer.from('garbage, of no concern')], '204'],
    [
      'the same length twice',
      [
        HELLO,
        headers([
          [':status', '200'],
          ['content-length', '2, 2'],
        ]),
        data('ab', { ends: true }),
      ],
      '200 ab',
    ],
    [
      'a length of nothing',
      [HELLO, headers({ ':status': '200', 'content-length': '0' }, { ends: true })],
      '200',
    ],
    [
      'a length beside 304',
      [HELLO, headers({ ':status': '304', 'content-length': '9' }, { ends: true })],
      '304',
    ],
    ['te: trailers', [HELLO, headers({ ':status': '200', te: 'trailers' }, { ends: true })], '200'],
  ])('%s', (_what, frames, expected) => expect(verdict(frames)).toBe(expected));

  test('HEAD: a length and no content', () => {
    const request = { ...GET, method: 'HEAD' };
    const head = { ':status': '200', 'content-length': '9' };
    expect(verdict([HELLO, headers(head, { ends: true })], { request })).toBe('200');
    expect(verdict([HELLO, headers(head), data('x')], { request })).toMatch(/^protocol: .*more content/);
  });

  test('values of one name, in their order', () => {
    const heard = hearing();
    heard.session.push(
      Buffer.concat([
        HELLO,
        headers([
          [':status', '200'],
          ['a', '1'],
          ['b', ''],
          ['a', '2'],
        ]),
      ]),
    );
    heard.session.push(data('', { ends: true }));
    expect([...heard.answer!.headers]).toEqual([
      ['a', ['1', '2']],
      ['b', ['']],
    ]);
    expect(heard.answer).toMatchObject({ headOnly: false, cut: false });
  });

  test('content that nobody wants any more ends the exchange, and the session', () => {
    const heard = hearing({ most: 2 });
    heard.session.push(Buffer.concat([HELLO, HEAD, data('abc'), data('def')]));
    expect(verdictOf(heard)).toBe('200 abc');
    expect(heard.answer!.cut).toBe(true);
    expect(heard.session.usable).toBe(false);
  });
});

describe('what the server may not send', () => {
  const onStream = (type: 'HEADERS' | 'DATA', stream: number): Buffer =>
    h2Frame(type, BLOCK, { flags: 4, stream });

  test.each<[string, Buffer[], string]>([
    // The beginning.
    ['HTTP/1', [Buffer.from('H')], 'the server does not speak HTTP/2, it sounds like HTTP/1'],
    ['TLS', [Buffer.from([0x15, 3, 1])], 'the server does not speak HTTP/2, it sounds like TLS'],
    ['SSH', [Buffer.from('SSH-2.0')], 'the server does not speak HTTP/2, it sounds like SSH'],
    ['another protocol', [Buffer.from('220 mail')], 'the server does not speak HTTP/2'],
    ['zeros and then something', [Buffer.from([0, 0, 6, 0x33])], 'the server does not speak HTTP/2'],
    ['a frame before SETTINGS', [EMPTY], 'the server sent HEADERS before SETTINGS'],
    ['GOAWAY before SETTINGS', [goaway(0).subarray(0, 4)], 'the server sent GOAWAY before SETTINGS'],
    ['an acknowledgement at first', [SETTINGS_ACK], 'the server sent an acknowledgement before SETTINGS'],
    // SETTINGS.
    ['SETTINGS on a stream', [h2Frame('SETTINGS', [], { stream: 1 })], 'SETTINGS on stream 1, where'],
    ['half a setting', [h2Frame('SETTINGS', [0, 1, 0])], 'SETTINGS of 3 bytes, which is no multiple of 6'],
    [
      'an acknowledgement with settings',
      [HELLO, h2Frame('SETTINGS', Buffer.alloc(6), { flags: ACK })],
      'an acknowledgement of SETTINGS of 6 bytes instead of 0',
    ],
    [
      'two acknowledgements',
      [HELLO, SETTINGS_ACK, SETTINGS_ACK],
      'an acknowledgement of SETTINGS that we have not sent',
    ],
    ['push switched on', [settings([2, 1])], 'SETTINGS with ENABLE_PUSH 1'],
    ['push of 2', [settings([2, 2])], 'SETTINGS with ENABLE_PUSH 2'],
    ['a window too large', [settings([4, 2 ** 31])], 'SETTINGS with INITIAL_WINDOW_SIZE 2147483648'],
    ['small frames', [settings([5, 16_383])], 'SETTINGS with MAX_FRAME_SIZE 16383'],
    ['large frames', [settings([5, 2 ** 24])], 'SETTINGS with MAX_FRAME_SIZE 16777216'],
    ['extended CONNECT of 2', [settings([8, 2])], 'SETTINGS with ENABLE_CONNECT_PROTOCOL 2'],
    ['priorities of 2', [settings([9, 2])], 'SETTINGS with NO_RFC7540_PRIORITIES 2'],
    // Lengths.
    [
      'a frame above our limit',
      [HELLO, h2Frame('DATA', [], { stream: 1, length: 16_385 })],
      'DATA of 16385 bytes, above the limit of 16384',
    ],
    [
      'an unknown frame above our limit',
      [HELLO, h2Frame(99, [], { length: 20_000 })],
      'a frame of type 99 of 20000 bytes',
    ],
    ['PING of 7 bytes', [HELLO, h2Frame('PING', [], { length: 7 })], 'PING of 7 bytes instead of 8'],
    ['PING on a stream', [HELLO, h2Frame('PING', Buffer.alloc(8), { stream: 1 })], 'PING on stream 1, where'],
    ['short GOAWAY', [HELLO, h2Frame('GOAWAY', Buffer.alloc(7))], 'GOAWAY of 7 bytes'],
    ['GOAWAY on a stream', [HELLO, h2Frame('GOAWAY', Buffer.alloc(8), { stream: 1 })], 'GOAWAY on stream 1'],
    [
      'long RST_STREAM',
      [HELLO, h2Frame('RST_STREAM', Buffer.alloc(5), { stream: 1 })],
      'RST_STREAM of 5 bytes instead of 4',
    ],
    [
      'short PRIORITY',
      [HELLO, h2Frame('PRIORITY', Buffer.alloc(4), { stream: 1 })],
      'PRIORITY of 4 bytes instead of 5',
    ],
    ['PRIORITY on stream 0', [HELLO, h2Frame('PRIORITY', Buffer.alloc(5))], 'PRIORITY on stream 0'],
    [
      'short WINDOW_UPDATE',
      [HELLO, h2Frame('WINDOW_UPDATE', [0, 0, 1])],
      'WINDOW_UPDATE of 3 bytes instead of 4',
    ],
    // Streams.
    ['DATA on stream 0', [HELLO, onStream('DATA', 0)], 'the server sent DATA on stream 0'],
    ['HEADERS on stream 0', [HELLO, onStream('HEADERS', 0)], 'HEADERS on stream 0'],
    ['CONTINUATION on stream 0', [HELLO, h2Frame('CONTINUATION', [])], 'CONTINUATION on stream 0'],
    ['RST_STREAM on stream 0', [HELLO, rstStream(0, 0)], 'RST_STREAM on stream 0'],
    [
      'HEADERS on an even stream',
      [HELLO, onStream('HEADERS', 2)],
      'HEADERS on stream 2, which nobody has opened',
    ],
    ['DATA on a later stream', [HELLO, onStream('DATA', 3)], 'DATA on stream 3, which nobody has opened'],
    ['RST_STREAM on a later stream', [HELLO, rstStream(0, 3)], 'RST_STREAM on stream 3, which nobody'],
    [
      'WINDOW_UPDATE on a later stream',
      [HELLO, windowUpdate(1, 5)],
      'WINDOW_UPDATE on stream 5, which nobody',
    ],
    [
      'PUSH_PROMISE',
      [HELLO, h2Frame('PUSH_PROMISE', [0, 0, 0, 2, 0x88], { flags: 4, stream: 1 })],
      'PUSH_PROMISE, although we have switched that off',
    ],
    // Header blocks.
    [
      'CONTINUATION alone',
      [HELLO, h2Frame('CONTINUATION', BLOCK, { flags: 4, stream: 1 })],
      'CONTINUATION without HEADERS',
    ],
    [
      'PING inside a block',
      [HELLO, h2Frame('HEADERS', BLOCK, { stream: 1 }), h2Frame('PING', Buffer.alloc(8))],
      'PING where CONTINUATION had to follow',
    ],
    [
      'an unknown frame inside a block',
      [HELLO, h2Frame('HEADERS', BLOCK, { stream: 1 }), h2Frame(99)],
      'a frame of type 99 where CONTINUATION',
    ],
    [
      'CONTINUATION of another stream',
      [HELLO, h2Frame('HEADERS', BLOCK, { stream: 1 }), h2Frame('CONTINUATION', [], { stream: 3 })],
      'CONTINUATION where CONTINUATION had to follow on stream 1',
    ],
    [
      'a second HEADERS inside a block',
      [HELLO, h2Frame('HEADERS', BLOCK, { stream: 1 }), HEAD],
      'HEADERS where CONTINUATION',
    ],
    [
      'padding beyond the frame',
      [HELLO, h2Frame('HEADERS', [9, 0x88], { flags: 12, stream: 1 })],
      'HEADERS that is shorter than its padding',
    ],
    [
      'padding beyond the frame of DATA',
      [HELLO, HEAD, h2Frame('DATA', [2, 1], { flags: PADDED, stream: 1 })],
      'DATA that is shorter than its padding',
    ],
    [
      'padding without a length',
      [HELLO, HEAD, h2Frame('DATA', [], { flags: PADDED, stream: 1 })],
      'DATA that is shorter',
    ],
    [
      'a priority that is cut',
      [HELLO, h2Frame('HEADERS', [0, 0, 0], { flags: 0x24, stream: 1 })],
      'HEADERS that is shorter',
    ],
    [
      'a block that cannot be decoded',
      [HELLO, h2Frame('HEADERS', [0x80], { flags: 5, stream: 1 })],
      'headers that cannot be decoded: index 0',
    ],
    [
      'an endless block',
      [
        HELLO,
        h2Frame('HEADERS', [], { stream: 1 }),
        repeated(5, h2Frame('CONTINUATION', Buffer.alloc(16_384, 'a'), { stream: 1 })),
      ],
      'headers of more than 64KiB',
    ],
    [
      'an endless block of nothing',
      [
        HELLO,
        h2Frame('HEADERS', [], { stream: 1 }),
        repeated(2_000, h2Frame('CONTINUATION', [], { stream: 1 })),
      ],
      'more than 1000 CONTINUATION',
    ],
    // The order of an answer.
    ['DATA before HEADERS', [HELLO, data('x')], 'DATA before HEADERS'],
    [
      'an interim answer that ends',
      [HELLO, headers({ ':status': '100' }, { ends: true })],
      'an interim answer that ends the stream',
    ],
    [
      'endless interim answers',
      [HELLO, repeated(101, headers({ ':status': '100' }))],
      'more than 100 interim answers',
    ],
    ['two heads', [HELLO, HEAD, HEAD], 'HEADERS behind the head that do not end the stream'],
    ['status in trailers', [HELLO, HEAD, EMPTY], '":status", a pseudo-header that trailers cannot have'],
    [
      'less than promised',
      [HELLO, headers({ ':status': '200', 'content-length': '5' }), data('abc', { ends: true })],
      '3 bytes where its content-length says 5',
    ],
    [
      'more than promised',
      [HELLO, headers({ ':status': '200', 'content-length': '2' }), data('abc')],
      'more content than the 2 bytes',
    ],
    [
      'nothing where something was promised',
      [HELLO, headers({ ':status': '200', 'content-length': '2' }, { ends: true })],
      '0 bytes where its content-length says 2',
    ],
    ['content of 204', [HELLO, headers({ ':status': '204' }), data('x')], 'more content than the 0 bytes'],
    // Windows.
    ['WINDOW_UPDATE of 0', [HELLO, windowUpdate(0)], 'WINDOW_UPDATE of 0'],
    ['WINDOW_UPDATE of 0 on the stream', [HELLO, windowUpdate(0, 1)], 'WINDOW_UPDATE of 0'],
    [
      'a connection window too large',
      [HELLO, windowUpdate(2 ** 31 - 1)],
      'a window larger than a window can be',
    ],
    [
      'a stream window too large',
      [HELLO, windowUpdate(2 ** 31 - 1, 1)],
      'a window larger than a window can be',
    ],
    [
      'a window too large by SETTINGS',
      [HELLO, windowUpdate(2 ** 31 - 1 - 65_535, 1), settings([4, 65_536])],
      'a window larger',
    ],
    // Floods.
    ['endless PING', [HELLO, repeated(1_001, h2Frame('PING', Buffer.alloc(8)))], 'a flood of PING'],
    ['endless SETTINGS', [repeated(1_001, HELLO)], 'a flood of SETTINGS'],
    [
      'endless empty DATA',
      [HELLO, HEAD, repeated(10_001, data(''))],
      'more than 10000 frames beside the answer, of late empty DATA',
    ],
    [
      'endless padding',
      [HELLO, HEAD, repeated(10_001, h2Frame('DATA', [0], { flags: PADDED, stream: 1 }))],
      'of late empty DATA',
    ],
    [
      'endless frames of no known type',
      [HELLO, repeated(10_001, h2Frame(200))],
      'of late a frame of type 200',
    ],
    // The end.
    [
      'a stream reset',
      [HELLO, rstStream(7)],
      'the server reset the stream before the answer (REFUSED_STREAM)',
    ],
    [
      'a stream reset inside',
      [HELLO, HEAD, rstStream(2)],
      'the server reset the stream inside the answer (INTERNAL_ERROR)',
    ],
    ['a reset of no known code', [HELLO, rstStream(99)], 'before the answer (code 99)'],
    ['GOAWAY', [HELLO, goaway(0, { last: 1 })], 'GOAWAY (NO_ERROR) before the answer'],
    [
      'GOAWAY with words',
      [HELLO, goaway(11, { words: 'too\u0007 many\npings' })],
      'GOAWAY (ENHANCE_YOUR_CALM, "too\\x07 many\\npings") before the answer',
    ],
  ])('%s', (_what, frames, message) => {
    const said = verdict(frames);
    expect(said).toMatch(/^protocol: /);
    expect(said).toContain(message);
  });

  test.each<[string, [string, string][], string]>([
    ['no status', [['a', 'b']], 'headers without :status'],
    ['no field', [], 'headers without :status'],
    [
      'a late status',
      [
        ['a', 'b'],
        [':status', '200'],
      ],
      'headers in which :status does not come first',
    ],
    [
      'two statuses',
      [
        [':status', '200'],
        [':status', '200'],
      ],
      'headers with two :status',
    ],
    [
      'a request field',
      [
        [':status', '200'],
        [':path', '/'],
      ],
      '":path", a pseudo-header that headers cannot have',
    ],
    ['a status of four digits', [[':status', '2000']], 'a :status that is none: "2000"'],
    ['a status of words', [[':status', 'OK']], 'a :status that is none: "OK"'],
    ['status 600', [[':status', '600']], 'a :status that is none: "600"'],
    ['status 101', [[':status', '101']], 'status 101, which HTTP/2 does not have'],
    [
      'capitals',
      [
        [':status', '200'],
        ['Server', 'x'],
      ],
      'a field name with capitals: "Server"',
    ],
    [
      'a blank in a name',
      [
        [':status', '200'],
        ['a b', 'x'],
      ],
      'a field name that is none: "a b"',
    ],
    [
      'an empty name',
      [
        [':status', '200'],
        ['', 'x'],
      ],
      'a field name that is none: ""',
    ],
    [
      'a NUL in a value',
      [
        [':status', '200'],
        ['a', 'x\0y'],
      ],
      'a value of a that no field may have',
    ],
    [
      'a line feed in a value',
      [
        [':status', '200'],
        ['a', 'x\ny'],
      ],
      'a value of a that no field may have',
    ],
    [
      'a blank before a value',
      [
        [':status', '200'],
        ['a', ' x'],
      ],
      'a value of a that no field may have',
    ],
    [
      'a tab behind a value',
      [
        [':status', '200'],
        ['a', 'x\t'],
      ],
      'a value of a that no field may have',
    ],
    [
      'connection',
      [
        [':status', '200'],
        ['connection', 'close'],
      ],
      'connection, which HTTP/2 does not have',
    ],
    [
      'transfer-encoding',
      [
        [':status', '200'],
        ['transfer-encoding', 'chunked'],
      ],
      'transfer-encoding, which',
    ],
    [
      'te',
      [
        [':status', '200'],
        ['te', 'gzip'],
      ],
      'te, which only HTTP/1 answers have',
    ],
    [
      'two lengths',
      [
        [':status', '200'],
        ['content-length', '1'],
        ['content-length', '2'],
      ],
      'different content-lengths',
    ],
    [
      'a length of words',
      [
        [':status', '200'],
        ['content-length', 'x'],
      ],
      'a content-length that is none: "x"',
    ],
    [
      'a length below zero',
      [
        [':status', '200'],
        ['content-length', '-1'],
      ],
      'a content-length that is none: "-1"',
    ],
  ])('fields: %s', (_what, fields, message) => {
    const said = verdict([HELLO, headers(fields)]);
    expect(said).toMatch(/^protocol: /);
    expect(said).toContain(message);
  });
});

describe('what goes out', () => {
  /** Frames of the client, as `TYPE flags stream length`, its preface and SETTINGS left out. */
  function sent(pieces: readonly Buffer[]): string[] {
    const bytes = Buffer.concat(pieces);
    const frames: string[] = [];
    for (let at = 24; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
      const value = type === 8 ? ` +${bytes.readUInt32BE(at + 9)}` : ` ${bytes.readUIntBE(at, 3)} bytes`;
      frames.push(`${NAMES[type]} ${flags} ${bytes.readUInt32BE(at + 5)}${value}`);
    }
    return frames.slice(1);
  }
  const NAMES = [
    'DATA',
    'HEADERS',
    '',
    'RST_STREAM',
    'SETTINGS',
    '',
    'PING',
    'GOAWAY',
    'WINDOW_UPDATE',
    'CONTINUATION',
  ];
  const POST = (size: number) => ({ ...GET, method: 'POST', content: Buffer.alloc(size) });

  test('a request without content, with some, and with a head of many frames', () => {
    expect(sent(hearing().written)).toEqual(['HEADERS 5 1 6 bytes']);
    expect(sent(hearing({ request: POST(3) }).written)).toEqual(['HEADERS 4 1 6 bytes', 'DATA 1 1 3 bytes']);
    const request = { ...GET, fields: [['a', 'x'.repeat(40_000)]] as const };
    expect(sent(hearing({ request }).written)).toEqual([
      'HEADERS 1 1 16384 bytes',
      'CONTINUATION 0 1 16384 bytes',
      'CONTINUATION 4 1 7245 bytes',
    ]);
  });

  test('SETTINGS and PING are answered in their order', () => {
    const { session, written } = hearing();
    session.push(Buffer.concat([HELLO, h2Frame('PING', Buffer.from('12345678')), HELLO]));
    expect(sent(written)).toEqual([
      'HEADERS 5 1 6 bytes',
      'SETTINGS 1 0 0 bytes',
      'PING 1 0 8 bytes',
      'SETTINGS 1 0 0 bytes',
    ]);
    expect(written.at(-1)!.includes('12345678')).toBe(true);
  });

  test('content waits for the windows of the stream and of the connection', () => {
    const { session, written } = hearing({ request: POST(100_000) });
    const first = sent(written);
    expect(first).toEqual([
      'HEADERS 4 1 6 bytes',
      'DATA 0 1 16384 bytes',
      'DATA 0 1 16384 bytes',
      'DATA 0 1 16384 bytes',
      'DATA 0 1 16383 bytes',
    ]);
    session.push(Buffer.concat([HELLO, windowUpdate(10, 1)]));
    expect(sent(written).slice(5)).toEqual(['SETTINGS 1 0 0 bytes']);
    session.push(windowUpdate(7));
    expect(sent(written).slice(6)).toEqual(['DATA 0 1 7 bytes']);
    session.push(windowUpdate(100_000));
    expect(sent(written).slice(7)).toEqual(['DATA 0 1 3 bytes']);
    session.push(windowUpdate(100_000, 1));
    expect(sent(written).slice(8)).toEqual([
      'DATA 0 1 16384 bytes',
      'DATA 0 1 16384 bytes',
      'DATA 1 1 1687 bytes',
    ]);
  });

  test('a window that SETTINGS take below zero', () => {
    const { session, written } = hearing({ request: POST(65_536) });
    session.push(settings([4, 0]));
    session.push(Buffer.concat([windowUpdate(10), windowUpdate(65_535, 1)]));
    expect(sent(written).slice(5)).toEqual(['SETTINGS 1 0 0 bytes']);
    session.push(windowUpdate(1, 1));
    expect(sent(written).slice(6)).toEqual(['DATA 1 1 1 bytes']);
  });

  test('half a window is given back as it goes, to a stream that goes on', () => {
    const { session, written } = hearing({ window: 100_000 });
    expect(sent(written)).toEqual(['WINDOW_UPDATE 0 0 +34465', 'HEADERS 5 1 6 bytes']);
    session.push(Buffer.concat([HELLO, HEAD, repeated(3, data(Buffer.alloc(16_384)))]));
    expect(sent(written).slice(2)).toEqual(['SETTINGS 1 0 0 bytes']);
    session.push(data(Buffer.alloc(900)));
    expect(sent(written).slice(3)).toEqual(['WINDOW_UPDATE 0 0 +50052', 'WINDOW_UPDATE 0 1 +50052']);
    session.push(
      Buffer.concat([repeated(3, data(Buffer.alloc(16_384))), data(Buffer.alloc(900), { ends: true })]),
    );
    expect(sent(written).slice(5)).toEqual(['WINDOW_UPDATE 0 0 +50052']);
  });
});

describe('one request after another', () => {
  test('streams are odd and grow; the table of the header blocks lives on', () => {
    const heard = hearing();
    // A literal that is put into the table, and then its index.
    const first = Buffer.concat([Buffer.from([0x88, 0x40]), fieldBlock({ a: 'b' }).subarray(1)]);
    heard.session.push(Buffer.concat([HELLO, h2Frame('HEADERS', first, { flags: 5, stream: 1 })]));
    expect(heard.session.usable).toBe(true);
    ask(heard);
    heard.session.push(h2Frame('HEADERS', [0x88, 0xbe], { flags: 5, stream: 3 }));
    expect([...heard.answer!.headers]).toEqual([['a', ['b']]]);
    expect(heard.written.at(-1)!.subarray(0, 9)).toEqual(
      h2Frame('HEADERS', [], { flags: 5, stream: 3, length: 6 }),
    );
  });

  test('late frames of a stream that has ended: some are let pass', () => {
    const heard = hearing();
    heard.session.push(
      Buffer.concat([
        HELLO,
        EMPTY,
        windowUpdate(5, 1),
        rstStream(0),
        h2Frame('PRIORITY', Buffer.alloc(5), { stream: 1 }),
      ]),
    );
    expect(heard.session.usable).toBe(true);
    ask(heard);
    heard.session.push(data('late'));
    expect(verdictOf(heard)).toBe('protocol: the server sent DATA on stream 1, which has ended');
  });

  test.each<[string, Buffer]>([
    ['GOAWAY', goaway(0, { last: 1 })],
    ['nonsense', Buffer.from('HTTP/1.1 408 Request Timeout')],
    ['a table that wants no streams', settings([3, 0])],
  ])('%s between two makes it useless, and fails nobody', (_what, bytes) => {
    const heard = hearing();
    heard.session.push(Buffer.concat([HELLO, EMPTY]));
    heard.session.push(bytes);
    expect(heard.session.usable).toBe(false);
    expect(verdictOf(heard)).toBe('204');
  });

  test('PING is answered between two', () => {
    const heard = hearing();
    heard.session.push(Buffer.concat([HELLO, EMPTY]));
    const before = heard.written.length;
    heard.session.push(h2Frame('PING', Buffer.alloc(8)));
    expect(heard.written.slice(before)).toEqual([h2Frame('PING', Buffer.alloc(8), { flags: ACK })]);
  });

  test("an even stream is nobody's, however many there have been", () => {
    const heard = hearing();
    heard.session.push(Buffer.concat([HELLO, EMPTY]));
    ask(heard);
    heard.session.push(windowUpdate(1, 2));
    expect(verdictOf(heard)).toBe(
      'protocol: the server sent WINDOW_UPDATE on stream 2, which nobody has opened',
    );
  });

  test('a smaller table of the server is acknowledged in the next block', () => {
    const heard = hearing();
    heard.session.push(Buffer.concat([settings([1, 0]), EMPTY]));
    ask(heard);
    expect(heard.written.at(-1)![9]).toBe(0x20);
    heard.session.push(headers({ ':status': '204' }, { ends: true, stream: 3 }));
    ask(heard);
    expect(heard.written.at(-1)![9]).toBe(0x82);
  });
});

describe('the end of the connection', () => {
  test.each<[string, Buffer[], string]>([
    ['at once', [], 'closed: the server closed the connection without an answer'],
    ['after SETTINGS', [HELLO], 'closed: the server closed the connection without an answer'],
    [
      'inside a frame',
      [HELLO, EMPTY.subarray(0, 8)],
      'closed: the server closed the connection without an answer',
    ],
    [
      'inside the answer',
      [HELLO, HEAD, data('a')],
      'closed: the server closed the connection inside the answer',
    ],
    ['after the answer', [HELLO, EMPTY], '204'],
  ])('%s', (_what, frames, expected) => {
    const heard = hearing();
    for (const bytes of frames) heard.session.push(bytes);
    heard.session.ended('closed');
    expect(verdictOf(heard)).toBe(expected);
    expect(heard.session.usable).toBe(false);
  });

  test('a reset, and one after GOAWAY', () => {
    const heard = hearing({ bearsGoaway: true });
    heard.session.push(Buffer.concat([HELLO, goaway(0, { last: 1 })]));
    heard.session.ended('reset');
    expect(verdictOf(heard)).toBe(
      'reset: the server reset the connection without an answer after GOAWAY (NO_ERROR)',
    );
  });
});

test('a bug is a failure of the exchange, and does not go through the socket', () => {
  const { session, written } = hearing();
  session.push(Buffer.concat([HELLO, EMPTY]));
  const failed = vi.fn<(error: Error) => void>();
  session.open(GET, {
    content: () => {
      throw new TypeError('a bug');
    },
    done: () => {},
    failed,
  });
  session.push(Buffer.concat([headers({ ':status': '200' }, { stream: 3 }), data('x', { stream: 3 })]));
  expect(failed).toHaveBeenCalledExactlyOnceWith(new TypeError('a bug'));
  expect(session.usable).toBe(false);
  expect(written.length).toBeGreaterThan(0);
});

describe('an orderly GOAWAY where it is borne', () => {
  const bearsGoaway = true;
  test('lets a request through that it names', () => {
    const heard = hearing({ bearsGoaway });
    heard.session.push(Buffer.concat([HELLO, goaway(0, { last: 1 }), EMPTY]));
    expect(verdictOf(heard)).toBe('204');
    expect(heard.session.usable).toBe(false);
  });
  test('not one that it does not name, nor with an error', () => {
    expect(verdict([HELLO, goaway(0)], { bearsGoaway })).toMatch(/^protocol: .*GOAWAY \(NO_ERROR\)/);
    expect(verdict([HELLO, goaway(2, { last: 1 })], { bearsGoaway })).toMatch(/^protocol: .*INTERNAL_ERROR/);
  });
});
