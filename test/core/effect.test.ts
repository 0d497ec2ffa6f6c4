import { describe, expect, it } from 'vitest';
import type { ActionRow } from '../../src/core/action.ts';
import { effectsOf } from '../../src/core/effect.ts';
import { aStep } from '../support/recovery-world.ts';
import { intentOf } from '../../src/recovery/action.ts';
import { anAction } from '../support/action.ts';

function row(outcome: ActionRow['outcome'], rest: Partial<ActionRow> = {}): ActionRow {
  const intent = intentOf(anAction(), aStep('mend/1'), { group: 'g', mode: 'enforce', what: 'mend' });
  return { ...intent, outcome, decided: intent.at + 40_000, ...rest };
}

describe('what a step has achieved', () => {
  it('is told by step and by evidence', () => {
    const rows = [
      row('recovered'),
      row('recovered', { decided: row(null).at + 20_000 }),
      row('recovered', { decided: row(null).at + 90_000 }),
      row('failed'),
      row('failed', { class: 'silent' }),
      row('recovered', { step: 'mend/2', class: 'silent' }),
    ];
    expect(effectsOf(rows)).toEqual([
      {
        step: 'mend/1',
        runs: 5,
        recovered: 3,
        in_vain: false,
        by_class: [
          { class: 'explicit', runs: 4, recovered: 3, median_ms: 40_000 },
          { class: 'silent', runs: 1, recovered: 0, median_ms: null },
        ],
      },
      {
        step: 'mend/2',
        runs: 1,
        recovered: 1,
        in_vain: false,
        by_class: [{ class: 'silent', runs: 1, recovered: 1, median_ms: 40_000 }],
      },
    ]);
  });

  it('says nothing of what was not done, not in earnest, or not judged', () => {
    const rows = [
      row('recovered', { mode: 'dry_run' }),
      row('self_healed', { counted: false }),
      row('cancelled', { counted: false }),
      row('inconclusive'),
      row(null),
    ];
    expect(effectsOf(rows)).toEqual([]);
  });

  const failed = (count: number): ActionRow[] => Array.from({ length: count }, () => row('failed'));
  const rows: [string, ActionRow[], boolean][] = [
    ['four in vain', failed(4), false],
    ['five in vain', failed(5), true],
    ['five in vain after one that helped', [...failed(5), row('recovered')], true],
    ['one that helped after many in vain', [row('recovered'), ...failed(9)], false],
    ['one that helped among the last five', [...failed(4), row('recovered'), ...failed(9)], false],
  ];
  it.each(rows)('is flagged where it never helped in its last five runs: %s', (_what, actions, inVain) => {
    expect(effectsOf(actions)[0]?.in_vain).toBe(inVain);
  });
});
