import { describe, expect, test } from 'vitest';
import type { Hook, HookSpec } from '../../src/core/hook.ts';
import type { News } from '../../src/core/news.ts';
import { fail } from '../../src/core/outcome.ts';
import { createDispatcher } from '../../src/runtime/dispatcher.ts';
import { NEVER, NO, OK, fakeHook } from '../support/fake-hook.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { specOf } from '../support/notifier.ts';
import { recorder } from '../support/recorder.ts';
import { aTarget } from '../support/targets.ts';

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
    new Map(Object.entries(specs).map(([name, spec]) => [name, specOf(name, { retries: 0, ...spec })])),
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
  test('recover acts on the opening of an incident, and only on that', async () => {
    const fake = fakeHook(() => OK);
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { restart: {}, undrain: { on: ['up'] } });
    const target = aTarget({ recover: ['restart', 'undrain'] });
    for (const event of ['down', 'up'] as const) dispatcher.dispatch(target, news(event));
    await clock.advance(0);
    expect(of('hook').toSorted()).toEqual(['hook t restart down ok 1 done', 'hook t undrain up ok 1 done']);
  });

  test('the event says what happened, and its id is the same on each retry and for each hook', async () => {
    const fake = fakeHook((_event, run) => (run < 3 ? NO : OK));
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 3 } });
    dispatcher.dispatch(aTarget({ recover: ['ops'], group: 'web', labels: { tier: 'front' } }), news('down'));
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
    dispatcher.dispatch(aTarget({ recover: ['ops'] }), news('down'));
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
    dispatcher.dispatch(aTarget({ recover: ['ops'] }), news('down'));
    await clock.advance(60_000);
    expect(of('hook')).toEqual(['hook t ops down failed 1 status 400']);
  });

  test('a hook that hangs is ended at its timeout', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: {} });
    dispatcher.dispatch(aTarget({ recover: ['ops'] }), news('down'));
    await clock.advance(5_000);
    expect(of('hook')).toEqual(['hook t ops down failed 1 no end within 5s']);
  });
});

describe('lanes', () => {
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

  test('one hook runs at most so many times at once', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { stuck: {} });
    for (let i = 0; i < 10; i++) {
      dispatcher.dispatch(aTarget({ name: `t${i}`, recover: ['stuck'] }), news('down', `t${i}`));
    }
    await clock.advance(5_000 * 5);
    expect(of('hook').length).toBe(10);
    expect(fake.mostActive).toBe(2);
  });
});

test('a hook that waits for its next try holds no place, and more places are used at once', async () => {
  const fake = fakeHook((event) => (event.target === 'good' ? OK : event.target === 'bad' ? NO : 'hang'));
  const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: { retries: 5, timeoutMs: 60_000 } }, 1);
  dispatcher.dispatch(aTarget({ name: 'bad', recover: ['ops'] }), news('down', 'bad'));
  dispatcher.dispatch(aTarget({ name: 'good', recover: ['ops'] }), news('down', 'good'));
  await clock.advance(0);
  expect(of('hook')).toEqual(['hook good ops down ok 1 done']);
  for (const name of ['h1', 'h2', 'h3']) {
    dispatcher.dispatch(aTarget({ name, recover: ['ops'] }), news('down', name));
  }
  await clock.advance(0);
  expect(fake.mostActive).toBe(1);
  const spec = specOf('ops', { timeoutMs: 60_000, retries: 5 });
  dispatcher.configure(new Map([['ops', spec]]), 3);
  await clock.advance(0);
  expect(fake.mostActive).toBe(3);
});

describe('stop', () => {
  test('lets what runs and what waits finish within the grace', async () => {
    const fake = fakeHook(() => 'hang');
    const { dispatcher, clock, of } = setUp({ fake: fake.hook }, { ops: {} }, 1);
    for (const name of ['a', 'b'])
      dispatcher.dispatch(aTarget({ name, recover: ['ops'] }), news('down', name));
    const stopped = dispatcher.stop(4_000);
    dispatcher.dispatch(aTarget({ name: 'c', recover: ['ops'] }), news('down', 'c'));
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
      dispatcher.dispatch(aTarget({ name, recover: ['ops'] }), news('down', name));
    dispatcher.dispatch(aTarget({ name: 'c', recover: ['flaky'] }), news('down', 'c'));
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
