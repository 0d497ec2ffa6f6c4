import { expect, test } from 'vitest';
import type { Action } from '../../src/core/step.ts';
import { publish } from '../../src/steps/publish.ts';

const action = (group: string | null): Action => ({ target: 'web-1', group }) as Action;

test.each([
  ['web', true, 'withdraw web-1 from web'],
  [null, false, 'withdraw web-1 from no group'],
])('in %s: %s', async (group, ok, line) => {
  expect(publish.preview('withdraw', action(group))).toBe(line);
  expect(await publish.act('withdraw', action(group), {} as never)).toMatchObject({ ok });
});

test('nothing but to withdraw is known', () => {
  expect(publish.settings.safeParse('withdraw').success).toBe(true);
  expect(publish.settings.safeParse('return').error?.issues[0]?.message).toMatch(/^expected withdraw/);
});
