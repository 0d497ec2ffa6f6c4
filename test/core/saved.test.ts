import { describe, expect, test } from 'vitest';
import { type Health, type Judgement, judge } from '../../src/core/health.ts';
import { type Attempt, type Outcome, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import { type SavedTarget, isNews, nothingKnown, remembered, saved } from '../../src/core/saved.ts';
import { circumstances } from '../support/circumstances.ts';
import { randomFrom } from '../support/random.ts';
import { aTarget } from '../support/targets.ts';

const OUTCOMES: readonly Outcome[] = [
  ok('fine'),
  ok('fine'),
  warn('so so'),
  fail('refused', 'no'),
  fail('timeout', 'no answer'),
  fail('unreachable', 'no route'),
  voided('ours'),
];
const RULES = { ...circumstances().rules, confirm: { explicit: 3_000, silent: 6_000, path: 9_000 } };

function attempt(outcome: Outcome, startedAt: number): Attempt {
  return { outcome, number: 1, at: 0, startedAt, latencyMs: 5, phases: {} };
}

/** As it comes back from the disk, in a process whose monotonic clock has another origin. */
function restarted(health: Health, savedAt: number, restoredAt: number, target = aTarget()): Health {
  const row = saved({ ...nothingKnown(0), health }, aTarget(), savedAt);
  return remembered(JSON.parse(JSON.stringify(row)) as SavedTarget, target, restoredAt).health;
}

describe('a restart', () => {
  test('between any two attempts changes no judgement, however long it takes', () => {
    const random = randomFrom(4);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const told: string[] = [];
    for (let run = 0; run < 200; run++) {
      let unbroken = nothingKnown(0).health;
      let broken = unbroken;
      let now = 1_000;
      let shift = 0;
      for (let step = 0; step < 60; step++) {
        const outcome = pick(OUTCOMES);
        const seen = (health: Health, startedAt: number): Judgement =>
          judge(health, attempt(outcome, startedAt), circumstances({ rules: RULES, at: now }));
        const expected = seen(unbroken, now);
        const actual = seen(broken, now + shift);
        const gist = ({ health, transition, news }: Judgement): unknown => [
          health.state,
          health.told,
          health.degradation,
          health.flaps.flapping,
          transition && [transition.from, transition.to, transition.incident],
          news.map(({ event, incident }) => [event, incident]),
        ];
        expect(gist(actual)).toEqual(gist(expected));
        told.push(...expected.news.map(({ event }) => event));
        unbroken = expected.health;
        broken = actual.health;
        now += pick([100, 1_000, 5_000, 100_000]);
        if (random() < 0.3) {
          const away = pick([-900_000, 7, 3_600_000]);
          broken = restarted(broken, now + shift, now + shift + away);
          shift += away;
        }
      }
    }
    // The runs have come to what they are about.
    expect(new Set(told)).toEqual(new Set(['down', 'up', 'degraded', 'restored', 'flapping', 'settled']));
  });

  test('keeps what was told and the incident, and no counts, where something else is asked now', () => {
    let { health } = nothingKnown(0);
    for (let at = 0; at < 3; at++)
      health = judge(health, attempt(fail('refused', 'no'), at), circumstances({ at })).health;
    const other = aTarget({ probe: { kind: 'scripted', settings: { other: true } } });
    expect(restarted(health, 10, 20, other)).toMatchObject({
      state: 'down',
      incidentAt: 2,
      told: health.told,
      evidence: { explicit: null },
      recent: [],
    });
  });

  test('takes what an earlier version has kept, which knew less', () => {
    const row = saved(nothingKnown(7), aTarget(), 100);
    const { flaps: _, degradation: __, ...less } = row.health;
    const { usual: ___, ...earlier } = { ...row, health: less };
    const memory = remembered(earlier as SavedTarget, aTarget(), 200);
    expect(memory.health.flaps).toEqual(nothingKnown(7).health.flaps);
    expect(memory.usual).toEqual(nothingKnown(7).usual);
  });
});

describe('what matters enough to be kept at once', () => {
  const up = judge(nothingKnown(0).health, attempt(ok('fine'), 1), circumstances()).health;
  const after = (start: Health, outcomes: readonly Outcome[]): Health =>
    outcomes.reduce((health, outcome) => judge(health, attempt(outcome, 2), circumstances()).health, start);

  test.each([
    ['up once more', [], [ok('fine')], false],
    ['a first failure', [], [fail('refused', 'no')], true],
    ['another failure', [fail('refused', 'no')], [fail('refused', 'no')], true],
    ['down once more', Array(4).fill(fail('refused', 'no')), [fail('refused', 'no')], false],
    ['a good answer while down', Array(4).fill(fail('refused', 'no')), [ok('fine')], true],
    ['nothing learned', [], [voided('ours')], false],
    ['degraded', Array(2).fill(warn('so so')), [warn('so so')], true],
    ['degraded still', Array(4).fill(warn('so so')), [warn('so so')], false],
  ] as const)('%s', (_what, before, then, matters) => {
    const start = after(up, before);
    expect(isNews(start, after(start, then))).toBe(matters);
  });
});
