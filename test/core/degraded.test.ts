import { describe, expect, test } from 'vitest';
import { NO_DEGRADATION, complaintOf, whyDegraded, withGood, withoutGood } from '../../src/core/degraded.ts';
import { ok, warn } from '../../src/core/outcome.ts';
import { NO_RECENT, type Recent, withRegular } from '../../src/core/ratio.ts';

const RULE = { degradedThreshold: 3, restoredThreshold: 2 };

test.each([
  [ok('fine'), 100, null, null],
  [ok('fine'), 100, 100, null],
  [ok('fine'), 101, 100, 'slow'],
  [warn('disk 91%'), 1, null, 'warn'],
  [warn('disk 91%'), 500, 100, 'warn'],
])('%o in %d ms, slow from %s: %s', (outcome, latency, slowMs, complaint) =>
  expect(complaintOf(outcome, latency, slowMs)).toBe(complaint),
);

/** `w` warns, `s` is slow, `+` is fine, `-` fails (and counts as regular, like all of them). */
function becauses(script: string): string {
  let degradation = NO_DEGRADATION;
  let recent: Recent = NO_RECENT;
  return script
    .split('')
    .map((letter, at) => {
      recent = withRegular(recent, { startedAt: at, failed: letter === '-' ? 'explicit' : null });
      degradation =
        letter === '-'
          ? withoutGood(degradation, recent)
          : withGood(degradation, letter === 'w' ? 'warn' : letter === 's' ? 'slow' : null, recent, RULE);
      return degradation.because?.[0] ?? '.';
    })
    .join('');
}

describe('degraded, by the first letter of why', () => {
  test.each([
    ['++++', '....'],
    ['wwwww', '..www'],
    ['ww+www', '.....w'],
    ['wws', '..s'],
    ['www+w++', '..wwww.'],
    // A failure is no complaint, and no end of one.
    ['ww-w', '...w'],
    ['www-++', '..www.'],
    // Half of the last ten: from the fifth failure, until only two are left.
    ['-+-+-+-+-', '........u'],
    ['-+-+-+-+-++++++', '........uuuuuu.'],
  ])('%s -> %s', (script, line) => expect(becauses(script)).toBe(line));
});

test('one that is well stays the very same value', () => {
  expect(withGood(NO_DEGRADATION, null, NO_RECENT, RULE)).toBe(NO_DEGRADATION);
});

test('what a person reads', () => {
  const recent = [0, 1, 2, 3, 4].map((at) => ({ startedAt: at, failed: 'explicit' as const, balance: 0 }));
  expect(whyDegraded('warn', warn('disk 91%'), '5ms', '0ms', recent)).toBe('disk 91%');
  expect(whyDegraded('slow', ok('200'), '812ms', '300ms', recent)).toBe('slow: 812ms, more than 300ms');
  expect(whyDegraded('unsteady', ok('200'), '5ms', '0ms', recent)).toBe('5 of the last 10 attempts failed');
});
