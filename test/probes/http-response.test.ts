import { describe, expect, test } from 'vitest';
import { createResponseReader } from '../../probes/http/response.ts';
import { ProbeFailure } from '../../probes/wire/reason.ts';
import { bounded } from '../support/bounded.ts';

interface Options {
  readonly method?: string;
  readonly maxBody?: number;
  readonly keepBody?: boolean;
}

/** Feeds the parts, then the peer's close where the response is not complete; the result in one line. */
function read(
  parts: Iterable<Buffer>,
  { method = 'GET', maxBody = 1_000, keepBody = true }: Options,
): string {
  const reader = createResponseReader({ method, maxBody, keepBody });
  try {
    let complete = false;
    for (const part of parts) {
      complete = reader.push(part);
      if (complete) break;
    }
    if (!complete) reader.end();
    const { status, body, tooLarge } = reader.response;
    const how = complete ? 'complete' : 'closed';
    return `${how} ${status} ${body.toString('latin1')}${tooLarge ? ' too large' : ''}`;
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    return `${error.reason}: ${error.message}`;
  }
}

function* bytewise(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** The same bytes in one piece and byte by byte. */
function check(text: string, expected: string | RegExp, options: Options = {}): void {
  const bytes = Buffer.from(text, 'latin1');
  const whole = read([bytes], options);
  if (typeof expected === 'string') expect(whole).toBe(expected);
  else expect(whole).toMatch(expected);
  expect(read(bytewise(bytes), options)).toBe(whole);
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe('a complete response', () => {
  test.each([
    [`${OK}Content-Length: 2\r\n\r\nhi`, 'complete 200 hi'],
    [`${OK}Content-Length: 0\r\n\r\n`, 'complete 200 '],
    [`${OK}Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi`, 'complete 200 hi'],
    [`${OK}Content-Length: 2\r\n\r\nhi and what nobody asked for`, 'complete 200 hi'],
    ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi', 'complete 200 hi'],
    ['HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi', 'complete 200 hi'],
    ['HTTP/1.1 200 \xe9t\xe9\r\nContent-Length: 2\r\n\r\nhi', 'complete 200 hi'],
    ['HTTP/1.1 200 OK\nContent-Length: 2\n\nhi', 'complete 200 hi'],
    ['HTTP/1.0 200 OK\r\n\r\nuntil the end', 'closed 200 until the end'],
    [`${OK}\r\nuntil the end`, 'closed 200 until the end'],
    [`${OK}\r\n`, 'closed 200 '],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`, 'complete 200 hi'],
    [
      `${OK}Transfer-Encoding: CHUNKED\r\n\r\n2\r\nhi\r\nA ;x=1\r\n0123456789\r\n00\r\n\r\n`,
      'complete 200 hi0123456789',
    ],
    [`${OK}Transfer-Encoding: chunked\n\n2\nhi\n0\n\n`, 'complete 200 hi'],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n`, 'complete 200 '],
    [`${OK}Content-Length: 5\r\nX: a\r\n b\r\n\r\nhello`, 'complete 200 hello'],
    [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n',
      'complete 204 ',
    ],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n', 'complete 304 '],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 'complete 204 '],
  ])('%j -> %s', (bytes, expected) => check(bytes, expected));

  test('the answer to a HEAD has no body, whatever its head says', () => {
    check(`${OK}Content-Length: 99\r\n\r\n`, 'complete 200 ', { method: 'HEAD' });
    check(`${OK}Transfer-Encoding: chunked\r\n\r\n`, 'complete 200 ', { method: 'HEAD' });
  });

  test('headers: names in lower case, values in order, blanks around them gone, folded lines joined', () => {
    const reader = createResponseReader({ method: 'HEAD', maxBody: 0, keepBody: false });
    const head = 'X-A:  one \t\r\nx-a:two\r\nEmpty:\r\nFolded: a\r\n\t b\r\n  c\r\nInner: a  b\r\n\r\n';
    expect(reader.push(Buffer.from(OK + head))).toBe(true);
    expect(Object.fromEntries(reader.response.headers)).toEqual({
      'x-a': ['one', 'two'],
      empty: [''],
      folded: ['a b c'],
      inner: ['a  b'],
    });
  });
});

describe('a response whose end is missing', () => {
  test.each([
    ['', 'closed: the server closed the connection without an answer'],
    ['HTTP/1.1 200 OK\r\nX: ', 'closed: the server closed the connection inside the head'],
    ['HTTP/1.1 100 Continue\r\n\r\n', 'closed: the server closed the connection inside the head'],
    [`${OK}Content-Length: 3\r\n\r\nhi`, 'closed: the server closed the connection inside the body'],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n`, 'closed: the server closed the connection inside the body'],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nh`,
      'closed: the server closed the connection inside the body',
    ],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi`,
      'closed: the server closed the connection inside the body',
    ],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n`,
      'closed: the server closed the connection inside the body',
    ],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n`,
      'closed: the server closed the connection inside the body',
    ],
  ])('%j -> %s', (bytes, expected) => check(bytes, expected));
});

describe('a malformed response is `protocol`', () => {
  test.each([
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n', /^protocol: the server does not speak HTTP/],
    ['HTTP/2 200 OK\r\n\r\n', /^protocol: the server does not speak HTTP/],
    ['HTTP/1.1 2000 OK\r\n\r\n', /^protocol: not an HTTP\/1 status line/],
    ['HTTP/1.1  200 OK\r\n\r\n', /^protocol: not an HTTP\/1 status line/],
    ['HTTP/1.1 099 OK\r\n\r\n', /^protocol: not an HTTP\/1 status line/],
    ['HTTP/1.1 200 O\rK\r\n\r\n', /^protocol: not an HTTP\/1 status line/],
    ['\r\n\r\n', /^protocol: the server does not speak HTTP/],
    ['HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'protocol: the server switched protocols unasked'],
    [`${OK}no colon\r\n\r\n`, 'protocol: not a header field: "no colon"'],
    [`${OK}Bad Name: x\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}Space-Before : x\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}: x\r\n\r\n`, /^protocol: not a header field/],
    [`${OK} folded: onto nothing\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}X: a\0b\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}X: a\rb\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}X: a\r\n b\rc\r\n\r\n`, /^protocol: not a header field/],
    [`${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi`, 'protocol: different Content-Lengths'],
    [`${OK}Content-Length: 2, 3\r\n\r\nhi`, 'protocol: different Content-Lengths'],
    [`${OK}Content-Length: +2\r\n\r\nhi`, 'protocol: not a Content-Length: "+2"'],
    [`${OK}Content-Length: -2\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [`${OK}Content-Length: 0x2\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [`${OK}Content-Length: 2 2\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [`${OK}Content-Length: 2\x0b\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [`${OK}Content-Length:\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [`${OK}Content-Length: 9999999999999999\r\n\r\nhi`, /^protocol: not a Content-Length/],
    [
      `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'protocol: both Content-Length and Transfer-Encoding',
    ],
    [`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'protocol: unknown transfer coding: "gzip, chunked"'],
    [
      `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /^protocol: unknown transfer coding/,
    ],
    [`${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, /^protocol: unknown transfer coding/],
    [
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'protocol: Transfer-Encoding in an HTTP/1.0 response',
    ],
    [`${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 'protocol: not a chunk size: "xyz"'],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n`, /^protocol: not a chunk size/],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n 2\r\nhi\r\n`, /^protocol: not a chunk size/],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n\r\nhi\r\n`, /^protocol: not a chunk size/],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n1000000000000\r\nhi\r\n`, /^protocol: not a chunk size/],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n`, 'protocol: a chunk is longer than its size says'],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi there`,
      'protocol: a chunk is longer than its size says',
    ],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n`,
      'protocol: not a header field: "no colon"',
    ],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(300)}`,
      'protocol: a chunk-size line is too long',
    ],
    [`${OK}X: ${'x'.repeat(70_000)}`, 'protocol: the head is larger than 64KiB'],
    [
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: ${'x'.repeat(70_000)}`,
      'protocol: the head is larger than 64KiB',
    ],
    ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(101), 'protocol: more than 100 interim answers'],
  ])('%j -> %s', (bytes, expected) => check(bytes, expected));

  test('blanks without end inside a header are read in linear time', () => {
    const head = `${OK}Content-Length: 0\r\nX: a${' '.repeat(60_000)}b\r\n\r\n`;
    expect(bounded(() => read([Buffer.from(head)], {}))).toBe('complete 200 ');
    const bareReturn = `${OK}X: ${' '.repeat(60_000)}\rb\r\n\r\n`;
    expect(bounded(() => read([Buffer.from(bareReturn)], {}))).toMatch(/^protocol: not a header field/);
  });

  test.each([
    ['short lines', `${OK}${'a:\n'.repeat(20_000)}Content-Length: 0\n\n`],
    ['folds', `${OK}X: a\r\n${' y\n'.repeat(20_000)}Content-Length: 0\n\n`],
    ['trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'a:\n'.repeat(20_000)}\n`],
  ])('%s that come byte by byte are read in linear time', (_what, text) => {
    const bytes = Array.from(Buffer.from(text), (byte) => Buffer.of(byte));
    expect(bounded(() => read(bytes, {}))).toBe('complete 200 ');
  });
});

describe('the limit of the body', () => {
  const chunked = `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`;

  test.each([
    [`${OK}Content-Length: 6\r\n\r\nabcdef`, 6, 'complete 200 abcdef'],
    [`${OK}Content-Length: 6\r\n\r\nabcdef`, 5, 'complete 200 abcde too large'],
    [`${OK}Content-Length: 600\r\n\r\nabcdef`, 5, 'complete 200 abcde too large'],
    [`${OK}\r\nabcdef`, 6, 'closed 200 abcdef'],
    [`${OK}\r\nabcdef`, 5, 'complete 200 abcde too large'],
    [chunked, 6, 'complete 200 abcdef'],
    [chunked, 4, 'complete 200 abcd too large'],
    [chunked, 0, 'complete 200  too large'],
  ])('%j within %i bytes -> %s', (bytes, maxBody, expected) => check(bytes, expected, { maxBody }));

  test('a body that no rule needs is read to its end and dropped', () => {
    check(chunked, 'complete 200 ', { keepBody: false });
  });
});

describe('a response that is cut anywhere is never ok', () => {
  test.each([
    ['sized', `${OK}Content-Length: 6\r\n\r\nabcdef`],
    ['chunked', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n`],
    ['after an interim answer', `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 1\r\n\r\na`],
  ])('%s', (_how, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(read([Buffer.from(bytes.slice(0, length))], {}), `${length} bytes`).toMatch(/^closed: /);
    }
    expect(read([Buffer.from(bytes)], {})).toMatch(/^complete 200/);
  });
});

test('a flood of chunks of one byte ends, however large the limit of the body', () => {
  const reader = createResponseReader({ method: 'GET', maxBody: 1e9, keepBody: true });
  reader.push(Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`));
  const flood = Buffer.from('1\r\na\r\n'.repeat(10_000));
  expect(() => {
    for (let i = 0; i < 100; i++) reader.push(flood);
  }).toThrow('more framing than body');
});
