import { describe, expect, test } from 'vitest';
import {
  type Evidence,
  NO_EVIDENCE,
  nextConfirmation,
  provenBy,
  windowOf,
  withFailure,
} from '../../src/core/evidence.ts';
import type { EvidenceClass } from '../../src/core/outcome.ts';

const CONFIRM = { explicit: 2_000, silent: 6_000, path: 10_000 };
const RULE = { failureThreshold: 3, confirm: CONFIRM };
const CLASSES: Readonly<Record<string, EvidenceClass>> = { e: 'explicit', s: 'silent', p: 'path' };

/** Failures a second apart, a letter each. */
function after(letters: string): Evidence {
  let evidence = NO_EVIDENCE;
  letters.split('').forEach((letter, second) => {
    evidence = withFailure(evidence, CLASSES[letter]!, second * 1_000);
  });
  return evidence;
}

describe('runs', () => {
  test.each([
    ['e', 'e1@0 s1@0 p1@0'],
    ['s', 's1@0 p1@0'],
    ['p', 'p1@0'],
    ['ee', 'e2@0 s2@0 p2@0'],
    ['es', 's2@0 p2@0'],
    ['se', 'e1@1000 s2@0 p2@0'],
    ['pe', 'e1@1000 s1@1000 p2@0'],
    ['eep', 'p3@0'],
    ['psp', 'p3@0'],
    ['ppsse', 'e1@4000 s3@2000 p5@0'],
  ])('%s -> %s', (letters, runs) => {
    const evidence = after(letters);
    const said = (['explicit', 'silent', 'path'] as const).flatMap((cls) => {
      const run = evidence[cls];
      return run ? [`${cls[0]}${run.count}@${run.since}`] : [];
    });
    expect(said.join(' ')).toBe(runs);
  });
});

describe('the rule for down', () => {
  test.each<[string, number, EvidenceClass | null, string]>([
    ['ee', 60_000, null, 'two are not three'],
    ['eee', 1_000, null, 'three, but too soon'],
    ['eee', 2_000, 'explicit', 'three and their window'],
    ['sss', 5_900, null, 'silence takes longer'],
    ['sss', 6_000, 'silent', ''],
    ['ees', 2_500, null, 'the last was no explicit one'],
    ['ees', 6_000, 'silent', 'an explicit failure is one to answer as well'],
    ['ppp', 9_900, null, ''],
    ['ppp', 10_000, 'path', ''],
    ['eep', 10_000, 'path', ''],
    ['eep', 9_000, null, ''],
    ['eee', 1_999.4, 'explicit', 'timers fire a fraction early'],
  ])('%s at %d -> %s %s', (letters, at, proven) => {
    expect(provenBy(after(letters), RULE, at)).toBe(proven);
  });

  test('a path window may not undercut the silent one once the host has answered', () => {
    const confirm = { ...CONFIRM, path: 4_000 };
    expect(windowOf('path', after('p'), confirm)).toBe(4_000);
    expect(windowOf('path', after('sp'), confirm)).toBe(6_000);
  });
});

describe('the next confirmation', () => {
  const timing = { spacing: 1_000, timeout: 2_000 };
  test.each([
    ['e', 0, 1_000, 'a spacing later'],
    ['eee', 1_500, 2_000, 'at the end of the explicit window'],
    ['ss', 3_000, 4_000, 'so that its timeout ends with the silent window'],
    ['ss', 3_500, 4_000, 'so that its timeout ends with the silent window'],
    ['ss', 4_000, 5_000, 'a spacing later'],
    ['pp', 7_500, 8_000, 'so that its timeout ends with the path window'],
  ])('%s, last at %d -> %d: %s', (letters, lastStart, next) => {
    expect(nextConfirmation(after(letters), RULE, { ...timing, lastStart })).toBe(next);
  });
});
