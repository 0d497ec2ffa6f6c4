import { describe, expect, it } from 'vitest';
import {
  type Climb,
  NEW_CLIMB,
  REARM_MS,
  acknowledged,
  attemptsOf,
  climbed,
  givenUp,
  nextRung,
  watched,
} from '../../src/core/ladder.ts';
import { PROBATION_MS } from '../../src/core/incident.ts';
import type { EvidenceClass } from '../../src/core/outcome.ts';

const RUNGS = [
  { name: 'mend/1', attempts: 1, on: ['explicit'] },
  { name: 'mend/2', attempts: 2, on: ['explicit', 'silent'] },
  { name: 'mend/3', attempts: 1, on: ['explicit', 'silent', 'path'] },
] as const;

function used(...counts: number[]): Climb {
  return {
    ...NEW_CLIMB,
    used: Object.fromEntries(counts.map((count, index) => [`mend/${index + 1}`, count])),
  };
}

describe('the next rung', () => {
  const rows: [string, readonly number[], EvidenceClass | null, string][] = [
    ['is the first that cures', [], 'explicit', 'mend/1'],
    ['passes one that does not cure', [], 'silent', 'mend/2'],
    ['is the same while it has attempts left', [1, 1], 'explicit', 'mend/2'],
    ['is the one after where it has none', [1, 2], 'explicit', 'mend/3'],
    ['goes back for evidence that an earlier one cures', [0, 2], 'explicit', 'mend/1'],
    ['is none where all that cure are used up', [0, 0, 1], 'path', 'used up'],
    ['is none where all are used up', [1, 2, 1], 'explicit', 'used up'],
    ['is none without evidence', [], null, 'no cure'],
  ];
  it.each(rows)('%s', (_what, counts, evidence, expected) => {
    const next = nextRung(RUNGS, used(...counts), evidence);
    expect(typeof next === 'string' ? next : next.name).toBe(expected);
  });

  it('is none where nothing cures', () => {
    expect(nextRung(RUNGS.slice(0, 2), NEW_CLIMB, 'path')).toBe('no cure');
  });
});

describe('a climb', () => {
  it('counts attempts by rung', () => {
    const twice = climbed(climbed(climbed(NEW_CLIMB, 'mend/1', 60), 'mend/2', 120), 'mend/2', 240);
    expect(twice).toMatchObject({ used: { 'mend/1': 1, 'mend/2': 2 }, coolUntil: 240 });
    expect(attemptsOf(twice)).toBe(3);
  });

  it('begins anew once somebody has looked', () => {
    const stuck = givenUp(climbed(NEW_CLIMB, 'mend/1', 60), 'used up');
    expect(acknowledged(stuck, 70)).toEqual({ ...NEW_CLIMB, ackedAt: 70 });
  });

  const tried = climbed(NEW_CLIMB, 'mend/1', 60_000);
  const stuck = givenUp(tried, 'used up');
  const rows: [string, Climb, number, boolean][] = [
    ['goes on after a relapse within the probation', tried, PROBATION_MS - 1, true],
    ['begins anew after the probation', tried, PROBATION_MS, false],
    ['stays given up after the probation', stuck, REARM_MS - 1, true],
    ['is re-armed after an hour of being up', stuck, REARM_MS, false],
  ];
  it.each(rows)('%s', (_what, climb, upFor, goesOn) => {
    const up = watched(watched(climb, 'recovering', 500), 'up', 1_000);
    expect(up.upSince).toBe(1_000);
    const relapsed = watched(up, 'down', 1_000 + upFor);
    expect(relapsed).toEqual(goesOn ? { ...climb, upSince: null } : NEW_CLIMB);
    // The same where good attempts come in between, as they do.
    const stillUp = watched(up, 'up', 1_000 + upFor);
    expect(watched(stillUp, 'down', 1_000 + upFor)).toEqual(relapsed);
  });

  it('is not touched by a suspicion', () => {
    const up = watched(tried, 'up', 1_000);
    expect(watched(up, 'suspect', 2_000)).toBe(up);
    expect(watched(up, 'suspect', 1_000 + PROBATION_MS)).toEqual({ ...NEW_CLIMB, upSince: 1_000 });
  });

  it('is the same object where nothing has changed', () => {
    expect(watched(tried, 'down', 5)).toBe(tried);
    const up = watched(NEW_CLIMB, 'up', 5);
    expect(watched(up, 'up', REARM_MS * 2)).toBe(up);
  });
});
