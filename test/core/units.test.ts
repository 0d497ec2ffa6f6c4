import { describe, expect, test } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from '../../src/core/units.ts';

describe('parseDuration', () => {
  test.each([
    ['5s', 5_000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
    ['0.4ms', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '5', 's', '5 s', '5sec', '-1s', '1s ', '1e3s', '5S', '∞'])('%j is no duration', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

describe('a rate', () => {
  test.each([
    ['1/30d', 1, 30 * 86_400_000],
    ['4/1h', 4, 3_600_000],
    ['1 / 1d12h', 1, 129_600_000],
  ])('%s is %d within %d ms', (text, most, withinMs) => expect(parseRate(text)).toEqual({ most, withinMs }));

  test.each(['', '1', '30d', '0/1d', '1/0s', '1/d', '1.5/1d', '-1/1d', '1/30'])('%j is none', (text) =>
    expect(parseRate(text)).toBeUndefined(),
  );

  test('reads as it is written', () => expect(formatRate({ most: 3, withinMs: 1_800_000 })).toBe('3/30m'));
});

test.each([
  [0.04, '0ms'],
  [1.23, '1.2ms'],
  [999.4, '999ms'],
  [1_000, '1s'],
  [1_234.5, '1.23s'],
  [90_000, '1m30s'],
  [3_600_000, '1h'],
  [90_061_000, '1d1h'],
])('%d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  ['512B', 512],
  ['64KiB', 65_536],
  ['1.5MiB', 1_572_864],
  ['1kB', 1_000],
  ['1MB', 1_000_000],
])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(['', '5', '5k', '-1B', '1 MiB', '1mib'])('%j is no size', (text) =>
  expect(parseSize(text)).toBeUndefined(),
);

test.each([
  [100, '100B'],
  [65_536, '64KiB'],
  [1_572_864, '1.5MiB'],
])('%d bytes read %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

test.each([
  [0, ['target'], '0 targets'],
  [1, ['target'], '1 target'],
  [2, ['target'], '2 targets'],
  [1, ['try', 'tries'], '1 try'],
  [2, ['try', 'tries'], '2 tries'],
] as const)('%d %j reads %s', (count, [one, ...many], text) =>
  expect(formatCount(count, one, ...many)).toBe(text),
);
