import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { type OverBoth, explicit, good } from './behaviour.ts';
import { OK, says, saysAndCloses } from './http-answers.ts';
import { endlessly, onceAsked } from './pieces.ts';

const READY = Buffer.from('ready '.repeat(20));
const MATCHES = { decompress: true, expect: { body: '^(ready )+$' } };
const COUNTS_ONLY = { decompress: true };

function coded(coding: string, body: Buffer): string {
  return `${OK}Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`;
}

const zeros = Buffer.alloc(16 * 2 ** 20);
/** 16 KiB that become 16 MiB. */
const bomb = gzipSync(zeros);
/** A hundred bytes that become 16 MiB. */
const doubleBomb = gzipSync(bomb);

/** Compressed bodies, and what is said to be one. */
export const httpCodings: readonly OverBoth[] = [
  {
    name: 'compresses by gzip',
    onPeer: says(coded('gzip', gzipSync(READY))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'compresses by x-gzip',
    onPeer: says(coded('X-GZip', gzipSync(READY))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'compresses by br',
    onPeer: says(coded('br', brotliCompressSync(READY))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'deflates',
    onPeer: says(coded('deflate', deflateSync(READY))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'deflates without the zlib format',
    onPeer: says(coded('deflate', deflateRawSync(READY))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'compresses twice',
    onPeer: says(coded('gzip, identity, br', brotliCompressSync(gzipSync(READY)))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'compresses in two members',
    onPeer: says(coded('gzip', Buffer.concat([gzipSync(READY), gzipSync(READY)]))),
    settings: MATCHES,
    expected: good(),
  },
  {
    name: 'compresses although nobody asked',
    onPeer: says(coded('gzip', gzipSync(READY))),
    settings: { expect: { body: 'ready' } },
    expected: explicit('mismatch'),
  },
  {
    name: 'compresses four times',
    onPeer: says(coded('gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(READY)))))),
    settings: MATCHES,
    expected: explicit('protocol', /4 codings/),
  },
  {
    name: 'calls nothing gzip',
    onPeer: says(coded('gzip', Buffer.alloc(0))),
    settings: COUNTS_ONLY,
    expected: good(),
  },
  {
    name: 'calls plain text gzip to who can decode it',
    onPeer: says(coded('gzip', READY)),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /not gzip/),
  },
  {
    name: 'calls gzip br',
    onPeer: says(coded('br', gzipSync(READY))),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /not br/),
  },
  {
    name: 'calls gzip deflate',
    onPeer: says(coded('deflate', gzipSync(READY))),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /not deflate/),
  },
  {
    name: 'calls br by a name that is not known',
    onPeer: says(coded('zstd', brotliCompressSync(READY))),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /unknown content coding: "zstd"/),
  },
  {
    name: 'calls its coding __proto__',
    onPeer: says(coded('__proto__', READY)),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /unknown content coding/),
  },
  ...[gzipSync(READY), deflateSync(READY), brotliCompressSync(READY)].map((body, index): OverBoth => {
    const coding = ['gzip', 'deflate', 'br'][index]!;
    return {
      name: `cuts its ${coding} off, within the right length`,
      onPeer: says(coded(coding, body.subarray(0, -3))),
      settings: COUNTS_ONLY,
      expected: explicit('protocol', new RegExp(`not ${coding}`)),
    };
  }),
  {
    name: 'cuts its gzip off by closing',
    onPeer: saysAndCloses(
      `${OK}Content-Encoding: gzip\r\n\r\n${gzipSync(READY).subarray(0, 12).toString('latin1')}`,
    ),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /not gzip/),
    overTls: explicit('protocol', /not gzip/),
  },
  {
    name: 'breaks the check sum of its gzip',
    onPeer: says(coded('gzip', Buffer.concat([gzipSync(READY).subarray(0, -8), Buffer.alloc(8)]))),
    settings: COUNTS_ONLY,
    expected: explicit('protocol', /not gzip/),
  },
  {
    name: 'sends a gzip bomb',
    onPeer: says(coded('gzip', bomb)),
    settings: { decompress: true, max_body: '128KiB', expect: { body: 'x' } },
    expected: explicit('too_large', /larger than 128KiB/),
  },
  {
    name: 'sends a gzip bomb that nobody looks into',
    onPeer: says(coded('gzip', bomb)),
    settings: COUNTS_ONLY,
    expected: good(),
  },
  {
    name: 'sends a bomb inside a bomb',
    onPeer: says(coded('gzip, gzip', doubleBomb)),
    settings: { decompress: true, expect: { body: 'x' } },
    expected: explicit('too_large'),
  },
  {
    name: 'sends a brotli bomb',
    onPeer: says(coded('br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }))),
    settings: { decompress: true, expect: { cel: 'body == ""' } },
    expected: explicit('too_large'),
  },
  {
    name: 'sends gzip without end',
    onPeer: (socket) =>
      onceAsked(socket, () => {
        socket.write(`${OK}Content-Encoding: gzip\r\n\r\n`);
        endlessly(socket, gzipSync(READY));
      }),
    settings: { decompress: true, expect: { body: 'x' } },
    expected: explicit('too_large'),
  },
];
