import { expect, test } from 'vitest';
import { ProbeFailure } from '../../../probes/wire/reason.ts';
import { bounded } from '../../support/bounded.ts';
import {
  END_HEADERS,
  GRPC_ANSWER,
  PADDED,
  SETTINGS_ACK,
  data,
  fieldBlock,
  goaway,
  h2Frame,
  headers,
  rstStream,
  settings,
  windowUpdate,
} from '../../support/h2.ts';
import { type Heard, hearing, verdictOf } from '../../support/h2-exchange.ts';
import { randomFrom } from '../../support/random.ts';

/** All that a server may do, and how it ends. */
const VALID: readonly Buffer[] = [
  GRPC_ANSWER,
  [
    settings([1, 0], [3, 100], [4, 1_000_000], [5, 20_000], [6, 9_000], [9, 1]),
    windowUpdate(9_000),
    h2Frame('PING', Buffer.from('abcdefgh')),
    headers({ ':status': '103', link: '</x>' }),
    h2Frame('HEADERS', fieldBlock({ ':status': '200', 'x-a': 'b' }).subarray(0, 9), { stream: 1 }),
    h2Frame('CONTINUATION', fieldBlock({ ':status': '200', 'x-a': 'b' }).subarray(9), {
      flags: END_HEADERS,
      stream: 1,
    }),
    SETTINGS_ACK,
    h2Frame(99, Buffer.from('whatever')),
    h2Frame('DATA', Buffer.from('\u0003content\0\0\0'), { flags: PADDED, stream: 1 }),
    data(Buffer.alloc(16_384, 'x')),
    data(Buffer.alloc(16_384, 'y')),
    windowUpdate(5, 1),
    data(Buffer.alloc(9_000, 'z')),
    headers({ a: 'b', 'grpc-status': '0' }, { ends: true }),
  ],
  [
    settings(),
    // Huffman codes, and entries of the table that are used again.
    h2Frame(
      'HEADERS',
      Buffer.from('885885aec3771a4b6196d07abe941054d444a8200595040b8166e084a62d1bffbf', 'hex'),
      {
        flags: 4,
        stream: 1,
      },
    ),
    data('x', { ends: true }),
  ],
  [settings(), headers({ ':status': '200', 'content-length': '2' }), data('ab', { ends: true }), goaway(0)],
  [settings(), h2Frame('PRIORITY', Buffer.alloc(5), { stream: 1 }), rstStream(8)],
  [settings(), goaway(2, { words: 'going down' })],
].map((frames) => Buffer.concat(frames));

/** The exchange over these bytes, in pieces that are cut as told, and then the end of the connection. */
function exchange(bytes: Buffer, nextPiece: () => number): Heard {
  const heard = hearing();
  bounded(() => {
    for (let at = 0; at < bytes.length;) {
      const size = Math.max(1, nextPiece());
      heard.session.push(bytes.subarray(at, at + size));
      at += size;
    }
  });
  heard.session.ended('closed');
  if (!heard.answer && !(heard.failure instanceof ProbeFailure))
    throw new Error('neither answer nor failure');
  return heard;
}

const whole = (): number => Infinity;

/** Runs in batches, each of which must end. */
function inBatches(runs: number, act: (run: number) => void): void {
  for (let from = 0; from < runs; from += 100) {
    bounded(() => {
      for (let run = from; run < from + 100; run++) act(run);
    });
  }
}

test.each(VALID.map((bytes, index) => [index, bytes] as const))(
  'transcript %i: no split changes it',
  (_, bytes) => {
    const { written, ...heard } = exchange(bytes, whole);
    const expected = verdictOf({ written, ...heard });
    expect(expected).toMatch(/^(200 |protocol: the server (reset|sent GOAWAY))/);
    const random = randomFrom(bytes.length);
    for (let run = 0; run < 40; run++) {
      const most = [1, 2, 7, 30, 5_000][run % 5]!;
      const split = exchange(bytes, () => Math.ceil(random() * most));
      expect(verdictOf(split)).toBe(expected);
      if (heard.answer) expect(Buffer.concat(split.written)).toEqual(Buffer.concat(written));
    }
  },
);

/** One to four changes: a bit, a byte, a cut, a piece twice, a piece of another transcript. */
function mutated(bytes: Buffer, random: () => number): Buffer {
  const upTo = (end: number): number => Math.floor(random() * end);
  let result = Buffer.from(bytes);
  for (let changes = 1 + upTo(4); changes > 0 && result.length > 0; changes--) {
    // Most of what matters stands at the beginning.
    const at = random() < 0.5 ? upTo(Math.min(result.length, 120)) : upTo(result.length);
    const other = VALID[upTo(VALID.length)]!;
    const from = upTo(other.length);
    switch (upTo(5)) {
      case 0:
        result[at]! ^= 1 << upTo(8);
        break;
      case 1:
        result[at] = [0, 1, 0x7f, 0x80, 0xff, upTo(256)][upTo(6)]!;
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + upTo(20))]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), result.subarray(Math.max(0, at - upTo(60)))]);
        break;
      default:
        result = Buffer.concat([
          result.subarray(0, at),
          other.subarray(from, from + upTo(60)),
          result.subarray(at),
        ]);
    }
  }
  return result;
}

test('mutated transcripts: an answer or a failure, the same whatever the splits', () => {
  const random = randomFrom(7);
  const seen = new Set<string>();
  inBatches(3_000, (run) => {
    const bytes = mutated(VALID[run % VALID.length]!, random);
    const expected = verdictOf(exchange(bytes, whole));
    seen.add(expected.replaceAll(/\d+/g, 'N'));
    const most = [1, 3, 50, 4_000][run % 4]!;
    expect(verdictOf(exchange(bytes, () => Math.ceil(random() * most)))).toBe(expected);
  });
  // Otherwise the mutations do not reach far.
  expect(seen.size).toBeGreaterThan(50);
});

test('noise behind SETTINGS: never an answer, never a crash', () => {
  const random = randomFrom(11);
  inBatches(2_000, (run) => {
    const noise = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)));
    // A head that is right, with noise behind it, reaches further than noise alone.
    const head = h2Frame(run % 12, [], { flags: noise[0]!, stream: run % 3, length: noise[1]! });
    const heard = exchange(Buffer.concat([settings(), head, noise]), whole);
    expect(heard.answer === undefined || heard.answer.status >= 200).toBe(true);
  });
});
