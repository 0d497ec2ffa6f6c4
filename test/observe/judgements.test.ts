import { expect, test } from 'vitest';
import { judge, unknownHealth } from '../../src/core/health.ts';
import { type Outcome, fail, ok, voided } from '../../src/core/outcome.ts';
import { createJudgements } from '../../src/observe/judgements.ts';
import { circumstances } from '../support/circumstances.ts';
import { aTarget } from '../support/targets.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '+': ok('fine'),
  '-': fail('refused', 'no'),
  h: fail('timeout', 'silence'),
  '?': voided('ours'),
};

/** What is remembered of these attempts, one a second; a capital letter stands for `held`. */
function remembered(script: string) {
  const judgements = createJudgements();
  let health = unknownHealth(0);
  script.split('').forEach((letter, index) => {
    const outcome = OUTCOMES[letter.toLowerCase()]!;
    const startedAt = index * 1_000;
    const attempt = { outcome, number: index + 1, at: startedAt, startedAt, latencyMs: 1, phases: {} };
    const given = circumstances({ at: startedAt });
    ({ health } = judge(health, attempt, given));
    judgements.observer.onAttempt!(aTarget(), attempt, health, letter === 'H' ? 'paused' : null, given);
  });
  return { judgements, last: judgements.of('t') };
}

test('attempts in a row that came to the same are one, with how many and since when', () => {
  expect(remembered('++++').last).toEqual([
    {
      attempt: 4,
      times: 4,
      first_at: 0,
      at: 3_000,
      status: 'ok',
      reason: null,
      class: null,
      message: 'fine',
      latency_ms: 1,
      state: 'up',
      evidence: [],
      of_last_ten: 0,
      held: null,
    },
  ]);
});

test('the verdict stands for itself, with all that spoke for it', () => {
  const { last } = remembered('++----');
  expect(last.map(({ state, times }) => `${state} ${times}`)).toEqual([
    'up 2',
    'suspect 2',
    'down 1',
    'down 1',
  ]);
  expect(last[2]!.evidence).toEqual([
    { class: 'explicit', failures: 3, lasted_ms: 2_001 },
    { class: 'silent', failures: 3, lasted_ms: 2_001 },
    { class: 'path', failures: 3, lasted_ms: 2_001 },
  ]);
  expect(last[3]!.evidence).toEqual([]);
});

test('another reason, a void one and one that was held are each their own', () => {
  const { last } = remembered('+-h?+hH');
  expect(last.map(({ status, reason, held }) => [status, reason, held].join(' '))).toEqual([
    'ok  ',
    'fail refused ',
    'fail timeout ',
    'void  ',
    'ok  ',
    'fail timeout ',
    'fail timeout paused',
  ]);
});

test('ten are kept, and only of the targets that there are', () => {
  const { judgements, last } = remembered('+-'.repeat(30));
  expect(last).toHaveLength(10);
  expect(last.at(-1)).toMatchObject({ attempt: 60 });
  judgements.retain([{ name: 'other' }]);
  expect(judgements.of('t')).toEqual([]);
});
