import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Hook, HookEvent, HookResult, HookSpec } from '../../src/core/hook.ts';
import type { News } from '../../src/core/news.ts';
import { fail } from '../../src/core/outcome.ts';
import { createDispatcher } from '../../src/runtime/dispatcher.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { aTarget } from '../support/targets.ts';

/** A hook that hangs until it is released or aborted, or answers at once. */
function fakeHook(answer: (event: HookEvent, run: number) => HookResult | 'hang') {
  const events: HookEvent[] = [];
  let active = 0;
  let mostActive = 0;
  const releases: (() => void)[] = [];
  const hook: Hook = {
    kind: 'fake',
    settings: z.unknown(),
    defaults: { timeoutMs: 5_000, retries: 0 },
    async fire(_settings, event, { signal }) {
      events.push(event);
      const result = answer(event, events.length);
      if (result !== 'hang') return result;
      active++;
      mostActive = Math.max(mostActive, active);
      await new Promise<void>((resolve, reject) => {
        releases.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }).finally(() => active--);
      return OK;
    },
  };
  return {
    hook,
    events,
    release: () => releases.shift()?.(),
    get mostActive() {
      return mostActive;
    },
  };
}

const OK: HookResult = { ok: true, detail: 'done', retry: false };
const NO: HookResult = { ok: false, detail: 'no', retry: true };
const NEVER: HookResult = { ok: false, detail: 'status 400', retry: false };

function setUp(
  hooks: Readonly<Record<string, Hook>>,
  specs: Readonly<Record<string, Partial<HookSpec>>>,
  perHook = 2,
) {
  const clock = createFakeClock();
  const record = recorder();
  const dispatcher = createDispatcher({
    registry: hooks,
    clock,
    random: () => 1,
    observer: record.observer,
    redact: (text) => text,
  });
  dispatcher.configure(
    new Map(
      Object.entries(specs).map(([name, spec]) => [
        name,
        { name, kind: 'fake', settings: {}, on: null, timeoutMs: 5_000, retries: 0, ...spec },
      ]),
    ),
    perHook,
  );
  return { clock, dispatcher, ...record };
}

let number = 0;
function news(event: 'down' | 'up', target = 't', incident = `${target}-1`): News {
  const attempt = {
    outcome: fail('refused', 'no'),
    number: ++number,
    at: 0,
    startedAt: 0,
    latencyMs: 1,
    phases: {},
  };
  const state = event === 'up' ? 'up' : 'down';
  return { event, incident, correlated: null, from: 'suspect', state, message: 'no', at: 0, attempt };
}

describe('what is dispatched', () => {
  test('notify hears of both ends of an incident, recover acts on its opening, and only those', async () => {
    const fake = fakeHook(() => OK);
    const { dispatcher, clock, of } = setUp(
      { fake: fake.hook },
      { ops: {}, restart: {}, undrain: { on: ['up'] } },
    );
    const target = aTarget({ notify: ['ops'], recover: ['restart', 'undrain'] });
    for (const event of ['down', 'up'] as const) dispatcher.dispatch(target, news(event));
    await clock.advance(0);
    expect(of('hook').toSorted()).toEqual([
      'hook t ops down ok 1 done',
      'hook t ops up ok 1 done',
      'hook t restart down ok 1 done',
      'hook t undrain up ok 1 done',
    ]);
  });

  test('the event says what happened, and its id is the same on each retry and for each hook', async () => {
    const fake = fakeHook((_event, run) => (run < 3 ? NO : OK));
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 3 } });
    dispatcher.dispatch(aTarget({ notify: ['ops'], group: 'web', labels: { tier: 'front' } }), news('down'));
    await clock.advance(60_000);
    expect(of('hook')).toEqual(['hook t ops down ok 3 done']);
    expect(new Set(fake.events.map(({ id }) => id))).toEqual(new Set(['t-1/down']));
    expect(fake.events[0]).toMatchObject({
      event: 'down',
      target: 't',
      group: 'web',
      labels: { tier: 'front' },
      reason: 'refused',
      class: 'explicit',
      incident: 't-1',
      at: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('tries', () => {
  test('retries come after 1, 2 and 4 s of back-off, as many as the hook has', async () => {
    const fake = fakeHook(() => NO);
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 3 } });
    dispatcher.dispatch(aTarget({ notify: ['ops'] }), news('down'));
    await clock.advance(999);
    expect(fake.events.length).toBe(1);
    await clock.advance(1);
    expect(fake.events.length).toBe(2);
    await clock.advance(2_000);
    expect(fake.events.length).toBe(3);
    await clock.advance(4_000);
    expect(of('hook')).toEqual(['hook t ops down failed 4 no']);
  });

  test('an answer that no retry can mend ends it', async () => {
    const fake = fakeHook(() => NEVER);
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 3 } });
    dispatcher.dispatch(aTarget({ notify: ['ops'] }), news('down'));
    await clock.advance(60_000);
    expect(of('hook')).toEqual(['hook t ops down failed 1 status 400']);
  });

  test('a hook that hangs is ended at its timeout', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: {} });
    dispatcher.dispatch(aTarget({ notify: ['ops'] }), news('down'));
    await clock.advance(5_000);
    expect(of('hook')).toEqual(['hook t ops down failed 1 no end within 5s']);
  });
});

describe('lanes', () => {
  test('a notifier hears of a target in order, and its slowness holds up neither others nor the action', async () => {
    const fake = fakeHook(({ event }) => (event === 'down' ? 'hang' : OK));
    const quick = { ...fakeHook(() => OK).hook, kind: 'quick' };
    const { dispatcher, clock, of } = setUp(
      { fake: fake.hook, quick },
      { slow: {}, pager: { kind: 'quick' }, restart: { kind: 'quick' } },
    );
    const target = aTarget({ notify: ['slow', 'pager'], recover: ['restart'] });
    dispatcher.dispatch(target, news('down'));
    dispatcher.dispatch(target, news('up'));
    await clock.advance(0);
    expect(of('hook').toSorted()).toEqual([
      'hook t pager down ok 1 done',
      'hook t pager up ok 1 done',
      'hook t restart down ok 1 done',
    ]);
    expect(fake.events.map(({ event }) => event)).toEqual(['down']);
    fake.release();
    await clock.advance(0);
    expect(fake.events.map(({ event }) => event)).toEqual(['down', 'up']);
  });

  test('actions of one target never overlap and keep their order', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { drain: {}, restart: {} });
    dispatcher.dispatch(aTarget({ recover: ['drain', 'restart'] }), news('down'));
    await clock.advance(0);
    expect(of('hook-start')).toEqual(['hook-start t drain down']);
    fake.release();
    await clock.advance(0);
    expect(of('hook-start')).toEqual(['hook-start t drain down', 'hook-start t restart down']);
    expect(fake.mostActive).toBe(1);
  });

  test('an action that has not begun when its target is up again is not run, and one that failed is not repeated', async () => {
    const fake = fakeHook((_event, run) => (run === 1 ? 'hang' : NO));
    const { dispatcher, clock, of } = setUp(
      { fake: fake.hook },
      { restart: { retries: 5 }, page: {}, undrain: { on: ['up'] } },
    );
    const target = aTarget({ recover: ['restart', 'page', 'undrain'] });
    dispatcher.dispatch(target, news('down'));
    await clock.advance(0);
    dispatcher.dispatch(target, news('up'));
    await clock.advance(60_000);
    expect(of('hook')).toEqual([
      'hook t restart down failed 1 no end within 5s; not tried again: the target is up again',
      'hook t page down failed 0 not run: the target is up again',
      'hook t undrain up failed 1 no',
    ]);
  });

  test('one hook runs at most so many times at once; hooks of another name are not held up by it', async () => {
    const fake = fakeHook(() => 'hang');
    const quick = { ...fakeHook(() => OK).hook, kind: 'quick' };
    const { dispatcher, clock, of } = setUp(
      { fake: fake.hook, quick },
      { stuck: {}, fine: { kind: 'quick' } },
    );
    for (let i = 0; i < 10; i++) {
      dispatcher.dispatch(aTarget({ name: `t${i}`, notify: ['stuck', 'fine'] }), news('down', `t${i}`));
    }
    await clock.advance(0);
    expect(fake.mostActive).toBe(2);
    expect(of('hook').length).toBe(10);
    await clock.advance(5_000 * 5);
    expect(of('hook').length).toBe(20);
    expect(fake.mostActive).toBe(2);
  });
});

test('a hook that waits for its next try holds no place, and more places are used at once', async () => {
  const fake = fakeHook((event) => (event.target === 'good' ? OK : event.target === 'bad' ? NO : 'hang'));
  const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 5, timeoutMs: 60_000 } }, 1);
  dispatcher.dispatch(aTarget({ name: 'bad', notify: ['ops'] }), news('down', 'bad'));
  dispatcher.dispatch(aTarget({ name: 'good', notify: ['ops'] }), news('down', 'good'));
  await clock.advance(0);
  expect(of('hook')).toEqual(['hook good ops down ok 1 done']);
  for (const name of ['h1', 'h2', 'h3']) {
    dispatcher.dispatch(aTarget({ name, notify: ['ops'] }), news('down', name));
  }
  await clock.advance(0);
  expect(fake.mostActive).toBe(1);
  const spec = { name: 'ops', kind: 'fake', settings: {}, on: null, timeoutMs: 60_000, retries: 5 };
  dispatcher.configure(new Map([['ops', spec]]), 3);
  await clock.advance(0);
  expect(fake.mostActive).toBe(3);
});

describe('the bounds of the queue', () => {
  test('a full queue refuses openings, says so, and still takes the closing of what it has taken', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: {} });
    for (let i = 0; i < 10_001; i++) {
      dispatcher.dispatch(aTarget({ name: `t${i}`, notify: ['ops'] }), news('down', `t${i}`));
    }
    expect(of('hook')).toEqual([
      'hook t10000 ops down failed 0 not run: 10000 deliveries are waiting already',
    ]);
    dispatcher.dispatch(aTarget({ name: 't0', notify: ['ops'] }), news('up', 't0'));
    dispatcher.dispatch(aTarget({ name: 't10000', notify: ['ops'] }), news('up', 't10000'));
    expect(of('hook').length).toBe(2);
    expect(of('hook')[1]).toMatch(/^hook t10000 ops up failed 0/);
    const stopped = dispatcher.stop(0);
    await clock.advance(0);
    await stopped;
    expect(of('hook').length).toBe(10_003);
  });
});

describe('stop', () => {
  test('lets what runs and what waits finish within the grace', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: {} }, 1);
    for (const name of ['a', 'b'])
      dispatcher.dispatch(aTarget({ name, notify: ['ops'] }), news('down', name));
    const stopped = dispatcher.stop(4_000);
    dispatcher.dispatch(aTarget({ name: 'c', notify: ['ops'] }), news('down', 'c'));
    for (let i = 0; i < 2; i++) {
      fake.release();
      await clock.advance(0);
    }
    await stopped;
    expect(of('hook')).toEqual([
      'hook c ops down failed 0 not run: the agent is stopping',
      'hook a ops down ok 1 done',
      'hook b ops down ok 1 done',
    ]);
    expect(clock.pending).toBe(0);
  });

  test('aborts the rest after the grace, a pause between tries included, and reports every delivery', async () => {
    const hanging = fakeHook(() => 'hang');
    const failing = { ...fakeHook(() => NO).hook, kind: 'failing' };
    const { dispatcher, clock, of } = setUp(
      { fake: hanging.hook, failing },
      { ops: {}, flaky: { kind: 'failing', retries: 9 } },
      1,
    );
    for (const name of ['a', 'b'])
      dispatcher.dispatch(aTarget({ name, notify: ['ops'] }), news('down', name));
    dispatcher.dispatch(aTarget({ name: 'c', notify: ['flaky'] }), news('down', 'c'));
    const stopped = dispatcher.stop(100);
    await clock.advance(100);
    await stopped;
    expect(of('hook').toSorted()).toEqual([
      'hook a ops down failed 1 aborted: the agent is stopping',
      'hook b ops down failed 0 not run: the agent is stopping',
      'hook c flaky down failed 1 no; not tried again: the agent is stopping',
    ]);
    expect(clock.pending).toBe(0);
  });
});
