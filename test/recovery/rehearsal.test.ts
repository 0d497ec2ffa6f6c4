import { expect, test } from 'vitest';
import { BRAKES, type Brakes } from '../../src/core/brakes.ts';
import type { Recorded } from '../../src/core/recorded.ts';
import type { Step } from '../../src/core/step.ts';
import type { Target } from '../../src/core/target.ts';
import { createRehearsal } from '../../src/recovery/rehearsal.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { lettered } from '../support/recorded.ts';
import { aStep } from '../support/recovery-world.ts';
import { aTarget } from '../support/targets.ts';

async function rehearsed(
  targets: readonly Target[],
  attempts: readonly Recorded[],
  { ladder = [aStep('mend')], brakes = {} }: { ladder?: readonly Step[]; brakes?: Partial<Brakes> } = {},
) {
  let acted = 0;
  const rehearsal = createRehearsal({
    targets,
    rules: { ladders: new Map([['l', ladder]]), brakes: { ...BRAKES, startGraceMs: 0, ...brakes } },
    steps: {
      mend: {
        kind: 'mend',
        settings: undefined!,
        timeoutMs: 1_000,
        asks: false,
        preview: (_settings, { target }) => `mend ${target}`,
        act() {
          acted++;
          return Promise.resolve({ ok: true, detail: '', output: '' });
        },
      },
    },
    store: createMemoryStore(0),
    redact: (text) => text,
  });
  for (const attempt of attempts.toSorted((a, b) => a.start - b.start)) await rehearsal.see(attempt);
  return {
    rehearsal,
    acted: () => acted,
    actions: rehearsal.actions().map(({ step, at, what, outcome }) => ({
      step,
      s: Math.floor(at / 1_000),
      what,
      outcome,
    })),
  };
}

const LADDER = { recover: ['l'] };

test('a step begins after the last look, nothing is done, and the record says what came next', async () => {
  const { actions, acted } = await rehearsed(
    [aTarget(LADDER)],
    lettered(`+${'-'.repeat(9)}${'+'.repeat(99)}`),
  );
  expect(actions).toEqual([{ step: 'mend', s: 4, what: 'mend t', outcome: 'self_healed' }]);
  expect(acted()).toBe(0);
});

test('the ladder is climbed at the pace of the brakes, and given up', async () => {
  const ladder = [aStep('first'), aStep('second', { attempts: 2 })];
  const { actions, rehearsal } = await rehearsed([aTarget(LADDER)], lettered(`+${'-'.repeat(900)}`), {
    ladder,
    brakes: { coolDownMs: 120_000 },
  });
  expect(actions.map(({ step, s, outcome }) => `${step} ${s} ${outcome}`)).toMatchInlineSnapshot(`
    [
      "first 4 failed",
      "second 125 failed",
      "second 366 failed",
    ]
  `);
  expect(rehearsal.gaveUp()).toMatchObject([{ target: 't', why: 'every step has been tried' }]);
});

test('a policy that only observes begins nothing; nobody is asked for a veto', async () => {
  const script = lettered(`+${'-'.repeat(60)}`);
  const observing = aTarget({ ...LADDER, policy: { ...aTarget().policy, mode: 'observe' } });
  expect((await rehearsed([observing], script)).actions).toEqual([]);
  const vetoed = aTarget({ ...LADDER, policy: { ...aTarget().policy, veto: 'l' } });
  const { actions, acted } = await rehearsed([vetoed], script);
  expect(actions.length).toBe(1);
  expect(acted()).toBe(0);
});

test('while it was paused nothing begins', async () => {
  const paused = lettered(`+${'-'.repeat(60)}`).map((one) => ({ ...one, hushed: true as const }));
  expect((await rehearsed([aTarget(LADDER)], paused)).actions).toEqual([]);
});

test('many of a group at once are a panic', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const targets = names.map((name) => aTarget({ ...LADDER, name, group: 'g' }));
  const script = (bad: number): Recorded[] =>
    names.flatMap((target, index) => lettered(`+${(index < bad ? '-' : '+').repeat(120)}`, { target }));
  expect((await rehearsed(targets, script(3))).actions).toEqual([]);
  expect((await rehearsed(targets, script(1))).actions.length).toBe(1);
});

test('a dependency that is down by the new rules keeps its dependants from going down', async () => {
  const parent = aTarget({ name: 'parent', rules: { failureThreshold: 2 } });
  const child = aTarget({ name: 'child', dependsOn: ['parent'] });
  const attempts = [
    ...lettered('+-----', { target: 'parent' }),
    ...lettered('+-----', { target: 'child', from: 10 }),
  ];
  const { rehearsal } = await rehearsed([parent, child], attempts);
  expect(rehearsal.of('parent')!.replayed.length).toBe(1);
  expect(rehearsal.of('child')!.replayed).toEqual([]);
  const alone = await rehearsed([child], attempts);
  expect(alone.rehearsal.of('child')!.replayed.length).toBe(1);
  const asRecorded = attempts.map((one) => ({ ...one, unreachable: true as const }));
  expect((await rehearsed([child], asRecorded)).rehearsal.of('child')!.replayed).toEqual([]);
});

test('the ladder goes on over a restart of the agent, and start_grace begins anew', async () => {
  const before = lettered(`+${'-'.repeat(30)}`);
  const after = lettered('-'.repeat(300), { from: 40_000 }).map((one) => ({ ...one, session: 39_000 }));
  const ladder = [aStep('first'), aStep('second')];
  const { actions } = await rehearsed([aTarget(LADDER)], [...before, ...after], {
    ladder,
    brakes: { startGraceMs: 20_000, coolDownMs: 30_000 },
  });
  expect(actions.map(({ step, s, outcome }) => `${step} ${s} ${outcome}`)).toMatchInlineSnapshot(`
    [
      "first 21 failed",
      "second 111 failed",
    ]
  `);
});
