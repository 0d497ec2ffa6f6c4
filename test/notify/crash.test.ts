import { describe, expect, test } from 'vitest';
import type { Hook, HookEvent } from '../../src/core/hook.ts';
import { NO, OK, fakeHook } from '../support/fake-hook.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { type Told, fakeDisk, notifying } from '../support/notifier.ts';
import { randomFrom } from '../support/random.ts';

describe('a disk', () => {
  test('has a message before it is sent; one that hangs holds it up for two seconds', async () => {
    const disk = fakeDisk();
    let written: () => void = () => {};
    const commit = (): Promise<boolean> => new Promise((resolve) => (written = () => resolve(true)));
    const fake = fakeHook(() => OK);
    const slow = { ...disk, store: { ...disk.store, commit } };
    const { tell, clock } = notifying({ registry: { fake: fake.hook }, specs: { ops: {} }, disk: slow });
    tell('a', 'down');
    await clock.advance(1_999);
    expect(fake.events).toEqual([]);
    written();
    await clock.advance(0);
    expect(fake.events.length).toBe(1);
    tell('b', 'down');
    await clock.advance(2_000);
    expect(fake.events.length).toBe(2);
    expect(disk.rows.get('ops/a-1/down')).toMatchObject({
      hook: 'ops',
      event: 'down',
      target: 'a',
      state: 'told',
    });
  });

  test('what was kept of a hook that is gone by then is said, and forgotten', async () => {
    const fake = fakeHook(() => NO);
    const before = notifying({ registry: { fake: fake.hook }, specs: { old: {} } });
    before.tell('a', 'down');
    await before.clock.advance(0);
    const after = notifying({ registry: {}, specs: {}, disk: before.disk, targets: ['a'] });
    expect(after.of('hook')).toEqual([
      'hook a old down failed 0 not run: the hook is gone from the configuration',
    ]);
    expect(before.disk.rows.size).toBe(0);
  });

  test('what is kept gives up by the time of its event, not of the start', async () => {
    const fake = fakeHook(() => NO);
    const setup = { registry: { fake: fake.hook }, specs: { ops: { retryForMs: 60_000 } }, targets: ['a'] };
    const before = notifying(setup);
    before.tell('a', 'down');
    await before.clock.advance(30_000);
    await before.notifier.stop(0);
    await before.clock.advance(25_000);
    const after = notifying({ ...setup, disk: before.disk, clock: before.clock });
    await after.clock.advance(10_000);
    expect(after.of('hook')).toEqual(['hook a ops down failed 3 no']);
  });
});

describe('what was lost of a target in a crash', () => {
  test('its beginning was told, and it is up: its end is told within a minute', async () => {
    const fake = fakeHook(() => OK);
    const setup = { registry: { fake: fake.hook }, specs: { ops: {} }, targets: ['a'] };
    const before = notifying(setup);
    before.tell('a', 'down');
    await before.clock.advance(0);
    let isUp = false;
    const after = notifying({ ...setup, disk: before.disk, isOver: () => isUp });
    await after.clock.advance(600_000);
    expect(after.of('hook')).toEqual([]);
    isUp = true;
    await after.clock.advance(60_000);
    expect(after.of('hook')).toEqual(['hook a ops up ok 1 done']);
    expect(fake.events.at(-1)).toMatchObject({ id: 'a-1/up', incident: 'a-1', state: 'up' });
    expect(before.disk.rows.size).toBe(0);
  });

  test('it goes down anew: the earlier incident is closed before', async () => {
    const fake = fakeHook(() => OK);
    const setup = { registry: { fake: fake.hook }, specs: { ops: {} }, targets: ['a'] };
    const before = notifying(setup);
    before.tell('a', 'down');
    await before.clock.advance(0);
    const after = notifying({ ...setup, disk: before.disk });
    after.tell('a', 'down', ['ops'], { incident: 'a-2' });
    after.tell('a', 'up', ['ops'], { incident: 'a-2' });
    await after.clock.advance(0);
    expect(fake.events.map(({ id }) => id)).toEqual(['a-1/down', 'a-1/up', 'a-2/down', 'a-2/up']);
    expect(before.disk.rows.size).toBe(0);
  });
});

/**
 * Random incidents, receivers that fail at random, and an agent that is killed again and again: nothing that was to be told
 * is lost, ids stay, and each hook hears of a target in order.
 */
describe.each([0, 5_000])('crashes, gathered for %d ms', (groupingMs) => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %d', async (seed) => {
    const random = randomFrom(seed);
    const clock = createFakeClock();
    const disk = fakeDisk();
    const targets = ['a', 'b', 'c', 'd'];
    const received: Record<string, HookEvent[]> = { ops: [], pager: [] };
    const wanted = new Map<string, string[]>();
    const down = new Map<string, string>();
    let life = 0;

    function start(): Told {
      const mine = ++life;
      const receiver = (hook: string): Hook =>
        fakeHook((event) => {
          // The one before was killed: what it still does here would never have happened.
          if (mine !== life) return 'hang';
          const roll = random();
          if (roll < 0.3) return NO;
          received[hook]!.push(event, ...(event.also ?? []));
          // Taken, and the answer is lost on the way.
          return roll < 0.4 ? NO : OK;
        }, hook).hook;
      const specs = { ops: { kind: 'ops', groupingMs }, pager: { kind: 'pager', groupingMs } };
      // A dead agent writes nothing.
      const put: typeof disk.store.put = (...row) => void (mine === life && disk.store.put(...row));
      return notifying({
        registry: { ops: receiver('ops'), pager: receiver('pager') },
        specs,
        targets,
        clock,
        disk: { ...disk, store: { ...disk.store, put } },
      });
    }

    let agent = start();
    for (let step = 0; step < 60; step++) {
      const target = targets[Math.floor(random() * targets.length)]!;
      const open = down.get(target);
      const incident = open ?? `${target}-${step}`;
      const event = open === undefined ? 'down' : 'up';
      agent.tell(target, event, ['ops', 'pager'], { incident });
      wanted.set(target, [...(wanted.get(target) ?? []), `${incident}/${event}`]);
      if (open === undefined) down.set(target, incident);
      else down.delete(target);
      await clock.advance(Math.floor(random() * 8_000));
      if (random() < 0.2) agent = start();
    }
    await clock.advance(3_600_000);
    for (const heard of Object.values(received)) {
      for (const target of targets) {
        const ids = heard.filter((event) => event.target === target).map(({ id }) => id);
        expect([...new Set(ids)]).toEqual(wanted.get(target));
      }
    }
    expect(disk.rows.size).toBe(2 * down.size);
  });
});
