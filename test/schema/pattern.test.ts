import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { BytePattern, Pattern, pattern } from '../../src/schema/pattern.ts';
import { bounded } from '../support/bounded.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';

test.each([
  ['b', 'abc', true],
  ['^b', 'abc', false],
  ['(?i)READY', 'all ready', true],
  ['a.c', 'a\nc', false],
  ['(?s)a.c', 'a\nc', true],
  ['(?m)^two$', 'one\ntwo\n', true],
  ['^two$', 'one\ntwo', false],
  ['', '', true],
  ['^$', '', true],
  ['\\p{Greek}', '\u03b1', true],
  ['^.$', '\u{1f600}', true],
  ['"status":"(ok|green)"', '{"status":"green"}', true],
])('/%s/ in %j: %s', (source, text, matches) => expect(new Pattern(source).matches(text)).toBe(matches));

test('a pattern can be asked again and again', () => {
  const p = pattern().parse('a');
  expect([p.matches('a'), p.matches('b'), p.matches('a')]).toEqual([true, false, true]);
});

test.each(['(', '[a', 'a**', '(?<=a)b', '(a)\\1', '(?=a)', 'a{2,1}'])('/%s/ is refused at load', (source) => {
  const message = pattern().safeParse(source).error?.issues[0]?.message;
  expect(message).toMatch(/^the pattern does not compile: ./);
});

test('prints as it was written', () =>
  expect(JSON.stringify({ p: pattern().parse('a+') })).toBe('{"p":"a+"}'));

test.each([
  ['(a+)+$', 'a'.repeat(50_000)],
  ['(a|aa)+$', 'a'.repeat(50_000)],
  ['(.*)*x$', 'ab'.repeat(25_000)],
  ['^(a?){30}a{30}$', 'a'.repeat(29)],
  ['\\s+$', ' '.repeat(50_000)],
])('/%s/ takes linear time on a text made against it', (source, start) => {
  const hostile = new Pattern(source);
  expect(bounded(() => hostile.matches(`${start}!`))).toBe(false);
});

describe('how far a pattern reaches', () => {
  test('the bigger, the less far', () => {
    expect(new Pattern('"status":"(ok|green)"').reach).toBeGreaterThan(2 ** 16);
    const { size, reach } = new Pattern(HOSTILE_PATTERN);
    expect([size, reach]).toEqual([2_602, 1_921]);
    expect(new BytePattern(HOSTILE_PATTERN).reach).toBe(reach);
  });

  test('what is beyond is not looked at, and costs nothing', () => {
    const start = 'a'.repeat(1_920);
    const text = new Pattern(HOSTILE_PATTERN);
    const bytes = new BytePattern(HOSTILE_PATTERN);
    expect([text.matches(`${start}!`), text.matches(`${start}a!`)]).toEqual([true, false]);
    expect(bytes.endOfMatch(Buffer.from(`${start}!`))).toBe(1_921);
    expect(bytes.endOfMatch(Buffer.from(`${start}a!`))).toBeUndefined();
    expect(bounded(() => text.matches(hostileText(2 ** 20)))).toBe(false);
  });

  test('over many texts, it reaches no further than over one', () => {
    const heavy = new Pattern(HOSTILE_PATTERN);
    const found = `${'a'.repeat(41)}!`;
    expect(heavy.matchesAny([])).toBe(false);
    expect(heavy.matchesAny(['', 'x', found])).toBe(true);
    expect(heavy.matchesAny(['b'.repeat(1_800), found])).toBe(true);
    expect(heavy.matchesAny(['b'.repeat(1_900), found])).toBe(false);
    expect(new Pattern('^$').matchesAny(['a', ''])).toBe(true);
  });

  test('big and small patterns find the same', () => {
    for (const source of ['a{200}b', '^a{200}b$', '(?:a{200}|c)b', 'a{3}b', '(?i)A{160}']) {
      const expected = [`${'a'.repeat(200)}b`, 'aaab', 'cb', ''].map((text) =>
        RE2JS.compile(source).test(text),
      );
      const big = new Pattern(source);
      expect([`${'a'.repeat(200)}b`, 'aaab', 'cb', ''].map((text) => big.matches(text))).toEqual(expected);
    }
  });
});
