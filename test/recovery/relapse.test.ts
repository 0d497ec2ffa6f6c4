import { expect, test } from 'vitest';
import { z } from 'zod';
import { createAgent } from '../../src/agent.ts';
import { loadConfig } from '../../src/config/load.ts';
import { fail, ok } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import type { StepKind } from '../../src/core/step.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { OK, fakeHook } from '../support/fake-hook.ts';
import { yamlFile } from '../support/yaml-file.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** One service, the whole agent, and a command that makes it answer for so long, ms. */
async function service({ mode = 'enforce', answersFor }: { mode?: string; answersFor: () => number }) {
  const clock = createFakeClock();
  let goodUntil = Infinity;
  let acted = 0;
  const probe: Probe = {
    kind: 'scripted',
    settings: z.unknown(),
    attempt: async () => (clock.now() < goodUntil ? ok('fine') : fail('refused', 'no')),
  };
  const mend: StepKind = {
    kind: 'mend',
    settings: z.unknown(),
    timeoutMs: MINUTE,
    asks: false,
    preview: () => 'mend it',
    async act() {
      acted++;
      goodUntil = clock.now() + answersFor();
      return { ok: true, detail: 'done', output: '' };
    },
  };
  const ops = fakeHook(() => OK, 'messenger', { groupingMs: 0 });
  const kinds = { probes: { scripted: probe }, hooks: { messenger: ops.hook }, steps: { mend } };
  const store = createMemoryStore(0);
  const agent = createAgent({
    ...kinds,
    isDryRun: false,
    clock,
    random: () => 0.5,
    store,
    observers: [],
  });
  const file = yamlFile(
    JSON.stringify({
      state: 'off',
      anchors: 'off',
      defaults: { interval: '10s', timeout: '2s', notify: 'ops', recover: 'mend', mode },
      targets: [{ name: 'orders', scripted: {} }],
      hooks: { ops: { messenger: {} }, mend: [{ mend: {}, attempts: 2 }] },
    }),
  );
  agent.apply(loadConfig([file], { ...kinds, env: {} }));
  await clock.advance(2 * MINUTE);
  return {
    clock,
    fail: () => void (goodUntil = 0),
    mended: () => void (goodUntil = Infinity),
    acted: () => acted,
    told: () => ops.events.map(({ event, relapses }) => `${event} ${relapses}`),
    events: ops.events,
    state: () => agent.snapshot()[0]!.health.state,
  };
}

test('one that crashes again after each restart is down all the time, until it has been given up', async () => {
  const one = await service({ answersFor: () => 20 * SECOND });
  one.fail();
  await one.clock.advance(20 * MINUTE);
  expect(one.acted()).toBe(2);
  expect(one.told()).toEqual(['down 0', 'gave_up 0']);
  one.mended();
  await one.clock.advance(MINUTE);
  expect(one.told()).toEqual(['down 0', 'gave_up 0', 'up 0']);
});

test('it is up once the verification has ended, and not before', async () => {
  const one = await service({ answersFor: () => Infinity });
  one.fail();
  await one.clock.advance(15 * SECOND);
  // The verification wants it good for 30 seconds.
  while (one.acted() === 0) await one.clock.advance(SECOND);
  await one.clock.advance(25 * SECOND);
  expect(one.state()).toBe('recovering');
  await one.clock.advance(20 * SECOND);
  expect(one.state()).toBe('up');
  expect(one.told()).toEqual(['down 0', 'up 0']);
});

test('a relapse within the probation is the same incident, told again, and given up after it was told', async () => {
  const one = await service({ answersFor: () => 2 * MINUTE });
  one.fail();
  await one.clock.advance(30 * MINUTE);
  const turns = ['down 0', 'up 0', 'down 1', 'up 1', 'down 2', 'gave_up 2'];
  expect(one.told()).toEqual(turns);
  expect(new Set(one.events.map(({ incident }) => incident)).size).toBe(1);
  expect(new Set(one.events.map(({ id }) => id)).size).toBe(turns.length);
});

test('what a dry run has given up on says so', async () => {
  const one = await service({ mode: 'dry_run', answersFor: () => 0 });
  one.fail();
  await one.clock.advance(20 * MINUTE);
  expect(one.acted()).toBe(0);
  expect(one.told()).toEqual(['down 0', 'gave_up 0']);
  expect(one.events.at(-1)!.message).toBe('dry run, nothing was done: every step has been tried: no');
});
