import { describe, expect, test } from 'vitest';
import { backoff } from '../../src/core/backoff.ts';
import { diff } from '../../src/core/diff.ts';
import { combine } from '../../src/core/observer.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { suggest } from '../../src/core/suggest.ts';
import type { Target } from '../../src/core/target.ts';
import { aTarget } from '../support/targets.ts';

describe('suggest', () => {
  const KNOWN = ['interval', 'timeout', 'retry_interval', 'name', 'http', 'tcp'];
  test.each([
    ['intervall', 'interval'],
    ['inteval', 'interval'],
    ['itnerval', 'interval'],
    ['Timeout', 'timeout'],
    ['htpp', 'http'],
    ['nmae', 'name'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
  ])('%j -> %j', (word, near) => expect(suggest(word, KNOWN)).toBe(near));
});

describe('backoff', () => {
  test.each([
    [1, 0, 500],
    [1, 1, 1_000],
    [2, 1, 2_000],
    [5, 1, 16_000],
    [6, 1, 30_000],
    [60, 0, 15_000],
  ])('retry %d with the random number %d waits %d ms', (retry, random, ms) =>
    expect(backoff(retry, () => random)).toBe(ms),
  );
});

describe('createRedactor', () => {
  test.each([
    [['s3cret'], 'login with s3cret failed', 'login with *** failed'],
    [['abc', 'abcdef'], 'abcdef abc', '*** ***'],
    [['a.c'], 'abc a.c', 'abc ***'],
    [['S3cret'], 'no such host: s3CRET.invalid', 'no such host: ***.invalid'],
    [['5'], 'status 503', 'status 503'],
    [['5'], '5', '***'],
    [[''], 'nothing', 'nothing'],
    [[], 'nothing', 'nothing'],
    [['-----BEGIN KEY-----\nMIIEvQIBADAN\nx'], 'cannot parse MIIEvQIBADAN', 'cannot parse ***'],
    [['user:p@ss"1'], 'got Basic dXNlcjpwQHNzIjE=', 'got Basic ***='],
    [['a/?a>>>b'], 'got YS8_YT4-PmI', 'got ***'],
    [[String.raw`p"a\s`], String.raw`body is "p\"a\\s"`, 'body is "***"'],
    [['p"a s/'], 'location: /?t=p%22a%20s%2F or p%22a+s%2f or p%22a%20s/', 'location: /?t=*** or *** or ***'],
    [['p"a'], `body is ${JSON.stringify(JSON.stringify('p"a'))}`, String.raw`body is "\"***\""`],
    [[String.raw`p"a\s`], String.raw`46B "{\"t\":\"p\\"a\\s\"}"`, String.raw`46B "{\"t\":\"***\"}"`],
    [['\ud800half'], 'x \ud800half', 'x ***'],
    [['S3CRET-token'], 'got "xxS3CRET-to…" and s3cret…, S3CRE…', 'got "xx***…" and ***…, S3CRE…'],
    [['S3CRET-token'], 'ends in S3CRET-t', 'ends in ***'],
    [['S3CRET-token', 'S3CRET-other'], 'S3CRET-oth… S3CRET-x…', '***… S3CRET-x…'],
    [[String.raw`a$&[b]\d`], String.raw`say a$&[b]\d now`, 'say *** now'],
  ])('%j in %j -> %j', (secrets, text, redacted) => expect(createRedactor(secrets)(text)).toBe(redacted));
});

test('diff tells added, removed, changed and kept targets apart', () => {
  const before = ['a', 'b', 'c'].map((name) => aTarget({ name, fingerprint: `${name}1` }));
  const after = [
    aTarget({ name: 'b', fingerprint: 'b1' }),
    aTarget({ name: 'c', fingerprint: 'c2' }),
    aTarget({ name: 'd', fingerprint: 'd1' }),
  ];
  const result = diff(before, after);
  const names = (list: readonly Target[]): string[] => list.map(({ name }) => name);
  const { added, removed, changed, kept } = result;
  expect({
    added: names(added),
    removed: names(removed),
    changed: names(changed),
    kept: names(kept),
  }).toEqual({
    added: ['d'],
    removed: ['a'],
    changed: ['c'],
    kept: ['b'],
  });
  expect(result.kept[0]).toBe(before[1]);
});

test('an observer that throws stops neither the others nor the caller, and the others hear of it', () => {
  const heard: string[] = [];
  const observer = combine([
    {
      onMissed() {
        throw new Error('broken');
      },
    },
    {
      onMissed: () => void heard.push('missed'),
      onTrouble: (_, detail) => void heard.push(detail.split('\n')[0]!),
    },
  ]);
  observer.onMissed(aTarget(), 1);
  expect(heard).toEqual(['Error: broken', 'missed']);
});
