import { describe, expect, test } from 'vitest';
import { NEVER, NO, OK, fakeHook } from '../support/fake-hook.ts';
import { HOUR, fakeDisk, notifying } from '../support/notifier.ts';

describe('what is told', () => {
  test('each hook hears what it asks for; the end has the beginning in it', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock, of } = notifying({
      registry: { fake: fake.hook },
      specs: { all: {}, ends: { on: ['up', 'restored'] }, mine: {} },
    });
    tell('t', 'down', ['all', 'ends']);
    await clock.advance(5_000);
    tell('t', 'up', ['all', 'ends'], { since: 'never' });
    tell('t', 'degraded', ['all', 'ends']);
    await clock.advance(5_000);
    tell('t', 'restored', ['all', 'ends']);
    await clock.advance(0);
    expect(of('hook').filter((line) => line.includes(' all '))).toEqual([
      'hook t all down ok 1 done',
      'hook t all up ok 1 done',
      'hook t all degraded ok 1 done',
      'hook t all restored ok 1 done',
    ]);
    expect(of('hook').filter((line) => line.includes(' ends '))).toEqual([
      'hook t ends up ok 1 done',
      'hook t ends restored ok 1 done',
    ]);
    const [down] = fake.events;
    expect(fake.events.find(({ event }) => event === 'up')?.since).toBe(down?.at);
    expect(fake.events.some(({ event, at, since }) => event === 'restored' && since < at)).toBe(true);
  });

  test('who was told that it is down is told that it is up, also where the target names it no more', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { old: {}, new: {} } });
    tell('t', 'down', ['old']);
    tell('t', 'up', ['new']);
    await clock.advance(0);
    expect(of('hook').toSorted()).toEqual([
      'hook t new up ok 1 done',
      'hook t old down ok 1 done',
      'hook t old up ok 1 done',
    ]);
  });

  test('a target that is taken out while it is down is closed as abandoned', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock, of, configure, disk } = notifying({
      registry: { fake: fake.hook },
      specs: { ops: {}, downs: { on: ['down'] } },
    });
    tell('gone', 'down');
    tell('stays', 'down');
    await clock.advance(0);
    configure({ targets: ['stays'] });
    await clock.advance(0);
    expect(of('hook').slice(4)).toEqual(['hook gone ops abandoned ok 1 done']);
    configure({ targets: ['stays'] });
    tell('stays', 'up');
    await clock.advance(0);
    expect(of('hook').slice(5)).toEqual(['hook stays ops up ok 1 done']);
    expect(disk.rows.size).toBe(0);
  });
});

test('a group and a target of one name are two', async () => {
  const fake = fakeHook(() => OK);
  const { tell, clock, of, configure, disk } = notifying({
    registry: { fake: fake.hook },
    specs: { ops: {} },
  });
  tell('web', 'down');
  tell('web', 'down', ['ops'], { kind: 'group' });
  await clock.advance(0);
  expect(disk.rows.size).toBe(2);
  tell('web', 'up');
  await clock.advance(0);
  expect(of('hook').length).toBe(3);
  configure({ targets: ['web'] });
  await clock.advance(0);
  expect(fake.events.at(-1)).toMatchObject({ event: 'abandoned', kind: 'group' });
  expect(disk.rows.size).toBe(0);
});

describe('tries', () => {
  test('retries come after 1, 2, 4 s ... up to 5 min, for six hours', async () => {
    const fake = fakeHook(() => NO);
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: {} } });
    tell('t', 'down');
    const runsAfter = async (ms: number): Promise<number> => {
      await clock.advance(ms);
      return fake.events.length;
    };
    expect(await runsAfter(999)).toBe(1);
    expect(await runsAfter(1)).toBe(2);
    expect(await runsAfter(2_000)).toBe(3);
    expect(await runsAfter(4_000)).toBe(4);
    expect(await runsAfter(HOUR - 7_000)).toBe(20);
    expect(of('hook')).toEqual([]);
    await clock.advance(5 * HOUR);
    expect(of('hook')).toEqual(['hook t ops down failed 80 no']);
    expect(new Set(fake.events.map(({ id }) => id)).size).toBe(1);
  });

  test('who looks at the log sees that it waits', async () => {
    const fake = fakeHook(() => NO);
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: { retries: 2 } } });
    tell('t', 'down');
    await clock.advance(60_000);
    expect(of('hook-retry')).toEqual(['hook-retry t ops 1 1000 no', 'hook-retry t ops 2 2000 no']);
  });

  test('as many retries as the hook has, and as long as it has', async () => {
    const fake = fakeHook(() => NO);
    const { tell, clock, of } = notifying({
      registry: { fake: fake.hook },
      specs: { three: { retries: 3 }, short: { retryForMs: 2_000 } },
    });
    tell('t', 'down');
    await clock.advance(60_000);
    expect(of('hook').toSorted()).toEqual(['hook t short down failed 2 no', 'hook t three down failed 4 no']);
  });

  test('an answer that no retry can mend ends it; a receiver may ask to be left alone', async () => {
    const fake = fakeHook((_event, run) => (run === 1 ? { ...NO, retryAfterMs: 90_000 } : NEVER));
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: {} } });
    tell('t', 'down');
    await clock.advance(89_999);
    expect(fake.events.length).toBe(1);
    await clock.advance(1);
    expect(of('hook')).toEqual(['hook t ops down failed 2 status 400']);
  });

  test('one that hangs is ended at its timeout', async () => {
    const fake = fakeHook(() => 'hang');
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: { retries: 0 } } });
    tell('t', 'down');
    await clock.advance(5_000);
    expect(of('hook')).toEqual(['hook t ops down failed 1 no end within 5s']);
  });

  test('who mends the hook in the configuration sees that go out which waits', async () => {
    const broken = fakeHook(() => NO, 'broken');
    const works = fakeHook(() => OK, 'works');
    const { tell, clock, of, configure } = notifying({
      registry: { broken: broken.hook, works: works.hook },
      specs: { ops: { kind: 'broken' }, gone: { kind: 'broken' } },
    });
    tell('t', 'down');
    await clock.advance(10_000);
    configure({ specs: { ops: { kind: 'works' } } });
    await clock.advance(10_000);
    expect(of('hook').toSorted()).toEqual([
      'hook t gone down failed 4 not delivered: the hook is gone from the configuration',
      'hook t ops down ok 5 done',
    ]);
  });
});

describe('lanes', () => {
  test('a hook hears of a target in order, and its slowness holds up no other hook and no other target', async () => {
    const fake = fakeHook(({ event, target }) => (event === 'down' && target === 't' ? 'hang' : OK));
    const quick = fakeHook(() => OK, 'quick');
    const { tell, clock, of } = notifying({
      registry: { fake: fake.hook, quick: quick.hook },
      specs: { slow: {}, pager: { kind: 'quick' } },
    });
    tell('t', 'down');
    tell('t', 'up');
    tell('other', 'down');
    await clock.advance(0);
    expect(of('hook').toSorted()).toEqual([
      'hook other pager down ok 1 done',
      'hook other slow down ok 1 done',
      'hook t pager down ok 1 done',
      'hook t pager up ok 1 done',
    ]);
    fake.release();
    await clock.advance(0);
    expect(of('hook').slice(4)).toEqual(['hook t slow down ok 1 done', 'hook t slow up ok 1 done']);
  });

  test('one that waits for its next try holds no place; at most so many run at once', async () => {
    const fake = fakeHook(({ target }) => (target === 'bad' ? NO : 'hang'));
    const { tell, clock, configure } = notifying({
      registry: { fake: fake.hook },
      specs: { ops: { timeoutMs: 60_000 } },
      perHook: 1,
    });
    for (const target of ['bad', 'a', 'b', 'c']) tell(target, 'down');
    await clock.advance(0);
    expect(fake.events.map(({ target }) => target)).toEqual(['bad', 'a']);
    configure({ perHook: 3 });
    await clock.advance(0);
    expect(fake.mostActive).toBe(3);
  });
});

describe('the bound of what waits', () => {
  test('the oldest beginning gives way, and nobody hears of its end; an end never does', async () => {
    const fake = fakeHook(() => 'hang');
    const { tell, clock, of, disk } = notifying({
      registry: { fake: fake.hook },
      specs: { ops: {} },
      perHook: 1,
    });
    tell('first', 'down');
    await clock.advance(0);
    for (let i = 1; i < 10_000; i++) tell(`t${i}`, 'down');
    tell('t1', 'up');
    expect(of('hook')).toEqual([]);
    tell('late', 'down');
    tell('later', 'down');
    expect(of('hook')).toEqual([
      'hook t1 ops down failed 0 not run: 10000 deliveries are waiting, and it was the oldest',
      'hook t2 ops down failed 0 not run: 10000 deliveries are waiting, and it was the oldest',
    ]);
    tell('t2', 'up');
    tell('late', 'up');
    expect(of('hook').slice(2)).toEqual([
      'hook t2 ops up failed 0 not run: nobody was told of the beginning',
    ]);
    expect(disk.rows.size).toBe(10_002);
  });
});

describe('the end of the agent', () => {
  test('what can go goes, within the grace; what waits for its next try goes on after the start', async () => {
    const fake = fakeHook(({ target }) => (target === 'bad' ? NO : 'hang'));
    const setup = { registry: { fake: fake.hook }, specs: { ops: {} } };
    const { tell, clock, of, notifier, disk } = notifying({ ...setup, perHook: 1 });
    for (const target of ['bad', 'a', 'b']) tell(target, 'down');
    tell('bad', 'up');
    await clock.advance(0);
    const stopped = notifier.stop(4_000);
    tell('late', 'down');
    for (let i = 0; i < 2; i++) {
      fake.release();
      await clock.advance(0);
    }
    await stopped;
    const goesOn = 'the agent is stopping; it goes on after the next start';
    expect(of('hook')).toEqual([
      `hook late ops down failed 0 not run: ${goesOn}`,
      'hook a ops down ok 1 done',
      'hook b ops down ok 1 done',
      `hook bad ops down failed 1 no; not tried again: ${goesOn}`,
      `hook bad ops up failed 0 not run: ${goesOn}`,
    ]);
    expect(clock.pending).toBe(0);

    const works = fakeHook(() => OK);
    const next = notifying({
      ...setup,
      registry: { fake: works.hook },
      disk,
      targets: ['bad', 'a', 'b', 'late'],
    });
    await next.clock.advance(0);
    expect(works.events.map(({ id }) => id).toSorted()).toEqual(['bad-1/down', 'bad-1/up', 'late-1/down']);
    for (const target of ['a', 'b', 'late']) next.tell(target, 'up');
    await next.clock.advance(0);
    expect(disk.rows.size).toBe(0);
  });

  test('without a disk it waits for what it can, then aborts and says so', async () => {
    const hanging = fakeHook(() => 'hang');
    const failing = fakeHook(() => NO, 'failing');
    const disk = fakeDisk();
    disk.sick = true;
    const { tell, clock, of, notifier } = notifying({
      registry: { fake: hanging.hook, failing: failing.hook },
      specs: { ops: {}, flaky: { kind: 'failing' } },
      perHook: 1,
      disk,
    });
    tell('a', 'down', ['ops']);
    tell('b', 'down', ['ops']);
    tell('c', 'down', ['flaky']);
    await clock.advance(0);
    const stopped = notifier.stop(100);
    await clock.advance(100);
    await stopped;
    expect(of('hook').toSorted()).toEqual([
      'hook a ops down failed 1 aborted; not tried again: the agent is stopping',
      'hook b ops down failed 0 not run: the agent is stopping',
      'hook c flaky down failed 1 no; not tried again: the agent is stopping',
    ]);
    expect(clock.pending).toBe(0);
  });
});
