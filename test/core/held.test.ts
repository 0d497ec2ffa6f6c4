import { expect, test } from 'vitest';
import { type Reasons, gatesOf, whyHeld } from '../../src/core/gates.ts';
import { NO_DOUBT, troubled } from '../../src/core/doubt.ts';
import { type Circumstances, judge, unknownHealth } from '../../src/core/health.ts';
import { type Outcome, fail, ok, voided } from '../../src/core/outcome.ts';
import { circumstances } from '../support/circumstances.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '+': ok('fine'),
  '-': fail('refused', 'no'),
  p: fail('connect_timeout', 'nobody there'),
  '?': voided('ours'),
};
const DOUBT = troubled(NO_DOUBT, 'anchors lost', 0);

/** What is held at the last of these attempts. */
function heldAfter(script: string, given: Partial<Circumstances>) {
  let health = unknownHealth(0);
  let held = null;
  script.split('').forEach((letter, startedAt) => {
    const attempt = { outcome: OUTCOMES[letter]!, number: 1, at: 0, startedAt, latencyMs: 1, phases: {} };
    ({ health, held } = judge(health, attempt, circumstances({ ...given, at: startedAt + 1 })));
  });
  return held;
}

test.each<[string, Partial<Circumstances>, unknown]>([
  ['+', {}, null],
  ['---', {}, null],
  ['-', { unreachable: true }, { gate: 'unreachable', what: 'failure' }],
  ['-', { doubt: DOUBT }, { gate: 'doubt', what: 'failure' }],
  ['+', { doubt: DOUBT }, null],
  ['?', { doubt: DOUBT }, null],
  ['pp', { pathWorks: false }, null],
  ['ppp', { pathWorks: false }, { gate: 'path', what: 'verdict' }],
  ['--p', { pathWorks: false }, { gate: 'path', what: 'verdict' }],
  ['---', { pathWorks: false }, null],
  ['--', { hushed: true }, null],
  ['---', { hushed: true }, { gate: 'hushed', what: 'news' }],
  ['----', { hushed: true }, { gate: 'hushed', what: 'news' }],
  ['---+', { hushed: true }, { gate: 'hushed', what: 'news' }],
  ['---++', { hushed: true }, null],
  ['---++---++---', {}, null],
  ['---++---++---++---', {}, { gate: 'flapping', what: 'news' }],
])('%s with %o', (script, given, held) => expect(heldAfter(script, given)).toEqual(held));

const QUIET: Reasons = {
  doubt: NO_DOUBT,
  blockers: [],
  hushed: null,
  pathWorks: true,
  flapping: false,
  unverified: false,
  purpose: 'live',
};

test('on a quiet day nothing is held back', () => {
  expect(gatesOf(QUIET).filter(({ holds }) => holds)).toEqual([]);
});

test.each<[Partial<Reasons>, string, string]>([
  [{ doubt: DOUBT }, 'doubt', 'the agent is in doubt of itself (score 4: anchors lost)'],
  [{ blockers: ['db', 'net'] }, 'unreachable', 'db, net are not up'],
  [{ blockers: ['db'] }, 'unreachable', 'db is not up'],
  [{ pathWorks: false }, 'path', 'no anchor has answered lately'],
  [{ hushed: 'paused: deploy' }, 'hushed', 'paused: deploy'],
  [{ flapping: true }, 'flapping', 'it went down again and again, and that was told'],
  [{ purpose: 'ready' }, 'purpose', 'its purpose is ready: hooks may not act on it'],
])('%o holds', (given, gate, why) => {
  expect(gatesOf({ ...QUIET, ...given }).filter(({ holds }) => holds)).toEqual([{ gate, holds: true, why }]);
});

test('in words', () => {
  const reasons = { ...QUIET, doubt: DOUBT };
  expect(whyHeld({ gate: 'doubt', what: 'failure' }, reasons)).toBe(
    'the failure does not count: the agent is in doubt of itself (score 4: anchors lost)',
  );
});
