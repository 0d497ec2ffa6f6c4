import { describe, expect, test } from 'vitest';
import { NO, OK, fakeHook } from '../support/fake-hook.ts';
import { HOUR, notifying } from '../support/notifier.ts';

const REMIND = { repeat: { everyMs: HOUR, why: 'reminder' } } as const;
const REFRESH = { repeat: { everyMs: 60_000, why: 'refresh' } } as const;

describe('reminders', () => {
  test('one every hour while it is down, and none afterwards; what is merely degraded is not recalled', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: REMIND } });
    tell('t', 'down');
    tell('slow', 'degraded');
    await clock.advance(HOUR - 1);
    expect(of('hook').length).toBe(2);
    await clock.advance(1);
    expect(of('hook').slice(2)).toEqual(['hook t ops still_down ok 1 done']);
    await clock.advance(HOUR);
    expect(of('hook').length).toBe(4);
    const [down, , first, second] = fake.events;
    expect(first).toMatchObject({ event: 'still_down', incident: down?.incident, since: down?.at });
    expect(first?.id).not.toBe(second?.id);
    expect(Date.parse(second!.at) - Date.parse(first!.at)).toBe(HOUR);
    tell('t', 'up');
    await clock.advance(10 * HOUR);
    expect(of('hook').length).toBe(5);
  });

  test('none while it is hushed', async () => {
    const fake = fakeHook(() => OK);
    let hushed = true;
    const { tell, clock, of } = notifying({
      registry: { fake: fake.hook },
      specs: { ops: REMIND },
      isHushed: () => hushed,
    });
    tell('t', 'down');
    await clock.advance(5 * HOUR);
    expect(of('hook').length).toBe(1);
    hushed = false;
    await clock.advance(HOUR);
    expect(of('hook').length).toBe(2);
  });

  test('one that has not got through by the end is called off, and no two are on their way', async () => {
    const fake = fakeHook(({ event }) => (event === 'still_down' ? NO : OK));
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: REMIND } });
    tell('t', 'down');
    await clock.advance(HOUR + 600_000);
    expect(fake.events.filter(({ event }) => event === 'still_down').length).toBeGreaterThan(5);
    tell('t', 'up');
    await clock.advance(0);
    expect(of('hook')).toEqual(['hook t ops down ok 1 done', 'hook t ops up ok 1 done']);
  });

  test('a restart does not bring the next one early', async () => {
    const fake = fakeHook(() => OK);
    const setup = { registry: { fake: fake.hook }, specs: { ops: REMIND }, targets: ['t'] };
    const before = notifying(setup);
    before.tell('t', 'down');
    await before.clock.advance(HOUR + 600_000);
    await before.notifier.stop(0);
    const after = notifying({ ...setup, disk: before.disk, clock: before.clock });
    await after.clock.advance(HOUR - 600_001);
    expect(after.of('hook')).toEqual([]);
    await after.clock.advance(1);
    expect(after.of('hook')).toEqual(['hook t ops still_down ok 1 done']);
    after.tell('t', 'up');
    await after.clock.advance(0);
    expect(after.of('hook').slice(1)).toEqual(['hook t ops up ok 1 done']);
    expect(after.disk.rows.size).toBe(0);
  });
});

test('reminders of a storm come together, however it began', async () => {
  const fake = fakeHook(() => OK);
  const specs = { ops: { ...REMIND, groupingMs: 5_000 } };
  const { tell, clock } = notifying({ registry: { fake: fake.hook }, specs });
  for (const target of ['a', 'b', 'c', 'd']) {
    tell(target, 'down');
    await clock.advance(1_500);
  }
  await clock.advance(2 * HOUR + 60_000);
  const told = fake.events.map(({ event, also = [] }) => `${event} ${1 + also.length}`);
  expect(told).toEqual(['down 1', 'down 3', 'still_down 4', 'still_down 4']);
});

describe('what lapses at the receiver', () => {
  test('is told again every minute, hushed or not, without a word but of failure', async () => {
    const fake = fakeHook((_event, run) => (run === 4 ? { ok: false, detail: 'no', retry: false } : OK));
    const { tell, clock, of } = notifying({
      registry: { fake: fake.hook },
      specs: { alerts: REFRESH },
      isHushed: () => true,
    });
    tell('t', 'down');
    tell('slow', 'degraded');
    await clock.advance(5 * 60_000);
    expect(fake.events.map(({ event }) => event)).toEqual(
      Array.from({ length: 6 }, () => ['down', 'degraded']).flat(),
    );
    expect(new Set(fake.events.map(({ id }) => id)).size).toBe(2);
    expect(of('hook')).toEqual([
      'hook t alerts down ok 1 done',
      'hook slow alerts degraded ok 1 done',
      'hook slow alerts degraded failed 1 no',
    ]);
    tell('t', 'up');
    await clock.advance(60_000);
    expect(fake.events.slice(12).map(({ event }) => event)).toEqual(['up', 'degraded']);
  });
});
