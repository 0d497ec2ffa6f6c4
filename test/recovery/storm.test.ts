import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Agent, createAgent } from '../../src/agent.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BRAKES } from '../../src/core/brakes.ts';
import type { HookEvent } from '../../src/core/hook.ts';
import { fail, ok } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import type { RecoveryReport } from '../../src/core/recovery.ts';
import type { StepKind } from '../../src/core/step.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type FakeClock, createFakeClock } from '../support/fake-clock.ts';
import { OK, fakeHook } from '../support/fake-hook.ts';
import { randomFrom } from '../support/random.ts';
import { yamlFile } from '../support/yaml-file.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const GROUPS = 10;
const SIZE = 30;
/** What messengers wait for more, unless told otherwise. */
const GROUPING_MS = 5 * SECOND;

interface Begun {
  readonly target: string;
  readonly group: string;
  readonly at: number;
}

/** 300 targets in 10 groups, and the whole agent that looks after them, with the limits that it has by itself. */
interface Storm {
  readonly agent: Agent;
  readonly clock: FakeClock;
  readonly begun: readonly Begun[];
  /** Most actions in one group at once, ever. */
  mostAtOnce(): number;
  reports(what: RecoveryReport['what']): number;
  /** Messages, each with all that it tells. */
  readonly messages: readonly (readonly HookEvent[])[];
  /** So many of each group fail from now on, the others answer. */
  failing(ofEach: number): void;
  /** From now on most actions help. */
  curable(): void;
}

async function storm({ recovery = {} }: { readonly recovery?: object } = {}): Promise<Storm> {
  const clock = createFakeClock();
  const random = randomFrom(7);
  const failing = new Set<string>();
  let curable = false;
  const begun: Begun[] = [];
  const reports: RecoveryReport[] = [];
  const active = new Map<string, number>();
  let most = 0;
  const probe: Probe = {
    kind: 'scripted',
    settings: z.unknown(),
    attempt: async (_settings, { target }) => (failing.has(target) ? fail('refused', 'no') : ok('fine')),
  };
  const mend: StepKind = {
    kind: 'mend',
    settings: z.unknown(),
    timeoutMs: MINUTE,
    asks: false,
    preview: () => 'mend it',
    async act(_settings, { target }) {
      await new Promise<void>((resolve) => {
        clock.schedule(clock.now() + random() * 20 * SECOND, resolve);
      });
      if (curable && random() < 0.7) failing.delete(target);
      return { ok: true, detail: 'done', output: '' };
    },
  };
  const ops = fakeHook(() => OK, 'messenger', { groupingMs: GROUPING_MS });
  const agent = createAgent({
    probes: { scripted: probe },
    hooks: { messenger: ops.hook },
    steps: { mend },
    isDryRun: false,
    clock,
    random,
    store: createMemoryStore(0),
    observers: [
      {
        onRecovery(report) {
          reports.push(report);
          if (report.what !== 'begins' && report.what !== 'outcome') return;
          const { target, group } = report.action;
          if (report.what === 'begins') begun.push({ target, group, at: clock.now() });
          const now = (active.get(group) ?? 0) + (report.what === 'begins' ? 1 : -1);
          active.set(group, now);
          most = Math.max(most, now);
        },
      },
    ],
  });
  const file = yamlFile(
    JSON.stringify({
      state: 'off',
      anchors: 'off',
      recovery,
      defaults: { interval: '20s', timeout: '2s', retry_interval: '1s', notify: 'ops', recover: 'mend' },
      targets: names().map((name) => ({ name, group: name.split('-')[0], scripted: {} })),
      hooks: { ops: { messenger: {} }, mend: [{ mend: {}, attempts: 3 }] },
    }),
  );
  agent.apply(
    loadConfig([file], {
      probes: { scripted: probe },
      hooks: { messenger: ops.hook },
      steps: { mend },
      env: {},
    }),
  );
  await clock.advance(MINUTE);
  return {
    agent,
    clock,
    begun,
    mostAtOnce: () => most,
    reports: (what) => reports.filter((report) => report.what === what).length,
    get messages() {
      return ops.events.map((event) => [event, ...(event.also ?? [])]);
    },
    curable: () => void (curable = true),
    failing(ofEach) {
      failing.clear();
      for (const name of names()) if (Number(name.split('-')[1]) < ofEach) failing.add(name);
    },
  };
}

function names(): string[] {
  const groups = Array.from({ length: GROUPS }, (_, group) => `g${group}`);
  return groups.flatMap((group) => Array.from({ length: SIZE }, (_, n) => `${group}-${n}`));
}

/** The most of these that fall into any span of that length. */
function mostWithin(begun: readonly Begun[], withinMs: number): number {
  return Math.max(
    0,
    ...begun.map(({ at }) => begun.filter((one) => one.at >= at && one.at < at + withinMs).length),
  );
}

/** No brake was exceeded, whatever happened. */
function checkBrakes({ begun, mostAtOnce }: Storm): void {
  expect(mostAtOnce()).toBeLessThanOrEqual(SIZE * BRAKES.share);
  expect(mostWithin(begun, BRAKES.overall.withinMs)).toBeLessThanOrEqual(BRAKES.overall.most);
  for (const group of new Set(begun.map((one) => one.group))) {
    const own = begun.filter((one) => one.group === group);
    expect(mostWithin(own, BRAKES.perGroup.withinMs)).toBeLessThanOrEqual(BRAKES.perGroup.most);
  }
  for (const target of new Set(begun.map((one) => one.target))) {
    const own = begun.filter((one) => one.target === target);
    expect(mostWithin(own, BRAKES.perTarget.withinMs)).toBeLessThanOrEqual(BRAKES.perTarget.most);
  }
}

/** Every incident was told to begin and to be over, in turn, and is over; each target has had one. */
function checkTold({ messages }: Storm): void {
  const events = messages.flat().filter(({ event }) => event === 'down' || event === 'up');
  const incidents = new Map<string, string[]>();
  for (const { incident, event } of events) {
    incidents.set(incident!, [...(incidents.get(incident!) ?? []), event]);
  }
  for (const told of incidents.values()) {
    expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? 'down' : 'up')));
    expect(told.at(-1)).toBe('up');
  }
  expect(new Set(events.map(({ target }) => target))).toEqual(new Set(names()));
}

describe('300 targets in 10 groups fail together', () => {
  it('nothing is done while most of a group are down, then a few at a time; all of it in few messages', async () => {
    const one = await storm();
    one.failing(SIZE);
    await one.clock.advance(2 * MINUTE);
    expect(one.agent.snapshot().filter(({ health }) => health.state === 'down')).toHaveLength(GROUPS * SIZE);
    expect(one.reports('panic')).toBe(GROUPS);
    // What fails first is not taken for the only one before others were heard.
    const early = one.begun.length;
    expect(early).toBe(0);
    checkBrakes(one);
    expect(one.messages.length).toBeLessThanOrEqual(6);
    expect(one.messages.flat()).toHaveLength(GROUPS * SIZE);

    // By the end of this the rates would allow it again.
    await one.clock.advance(10 * MINUTE);
    expect(one.begun.length).toBe(early);

    // 13 of 30 are more than 40 %: the panic goes on.
    one.failing(13);
    await one.clock.advance(3 * MINUTE);
    one.failing(11);
    await one.clock.advance(MINUTE + 40 * SECOND);
    // Before two minutes are over it is as bad as before, and they begin anew.
    one.failing(13);
    await one.clock.advance(MINUTE);
    one.failing(11);
    await one.clock.advance(MINUTE + 40 * SECOND);
    expect([one.reports('calm'), one.begun.length - early]).toEqual([0, 0]);

    await one.clock.advance(MINUTE);
    expect(one.reports('calm')).toBe(GROUPS);
    one.curable();
    await one.clock.advance(21 * MINUTE);
    checkBrakes(one);
    // What is allowed is done: six in ten minutes.
    expect(one.begun.length - early).toBeGreaterThanOrEqual(12);

    one.failing(0);
    await one.clock.advance(2 * MINUTE);
    expect(one.reports('panic')).toBe(GROUPS);
    checkTold(one);
    // Five hundred events by then.
    expect(one.messages.length).toBeLessThanOrEqual(40);
  }, 240_000);

  it('somebody who has looked at a group ends what its panic holds', async () => {
    const one = await storm();
    one.failing(SIZE);
    await one.clock.advance(MINUTE + 10 * MINUTE);
    const early = one.begun.length;
    one.agent.recovery.acknowledge('g7-7', 'ann');
    await one.clock.advance(MINUTE);
    expect(new Set(one.begun.slice(early).map(({ group }) => group))).toEqual(new Set(['g7']));
    checkBrakes(one);
  }, 240_000);
});

describe('a third of each of 10 groups fails', () => {
  it('no more than a tenth of a group is acted on at once, and that is made use of', async () => {
    const one = await storm({ recovery: { per_group: '1000/1s', overall: '1000/1s' } });
    one.failing(11);
    await one.clock.advance(4 * MINUTE);
    expect(one.mostAtOnce()).toBe(SIZE * BRAKES.share);
    expect(one.begun.length).toBeGreaterThan(GROUPS * SIZE * BRAKES.share);
    expect(one.reports('panic')).toBe(0);
  }, 240_000);
});
