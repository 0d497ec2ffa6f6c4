import { expect, test } from 'vitest';
import { Pattern, pattern } from '../../src/schema/pattern.ts';
import { bounded } from '../support/bounded.ts';

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
