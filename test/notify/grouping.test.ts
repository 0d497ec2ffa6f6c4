import { describe, expect, test } from 'vitest';
import type { HookEvent } from '../../src/core/hook.ts';
import { NO, OK, fakeHook } from '../support/fake-hook.ts';
import { notifying } from '../support/notifier.ts';
import { randomFrom } from '../support/random.ts';

const GROUPED = { groupingMs: 5_000 };

/** The messages, as what they tell of which target. */
function messagesOf(events: readonly HookEvent[]): string[][] {
  return events.map((event) =>
    [event, ...(event.also ?? [])].map(({ target, event }) => `${target} ${event}`),
  );
}

describe('grouping', () => {
  test('the first goes out at once, what follows within the time in one message, and then it begins anew', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: GROUPED } });
    tell('a', 'down');
    await clock.advance(100);
    tell('b', 'down');
    await clock.advance(1_000);
    tell('c', 'down');
    expect(messagesOf(fake.events)).toEqual([['a down']]);
    await clock.advance(3_900);
    expect(messagesOf(fake.events).slice(1)).toEqual([['b down', 'c down']]);
    await clock.advance(4_000);
    tell('b', 'up');
    await clock.advance(20_000);
    expect(messagesOf(fake.events).slice(2)).toEqual([['b up']]);
    tell('a', 'up');
    await clock.advance(0);
    expect(messagesOf(fake.events).slice(3)).toEqual([['a up']]);
    expect(of('hook').length).toBe(5);
  });

  test('what comes in the same moment goes together', async () => {
    const fake = fakeHook(() => OK);
    const { tell, clock } = notifying({ registry: { fake: fake.hook }, specs: { ops: GROUPED } });
    for (const target of ['a', 'b']) tell(target, 'down');
    await clock.advance(0);
    expect(messagesOf(fake.events)).toEqual([['a down', 'b down']]);
  });

  test('one that fails holds up only the targets that are in it', async () => {
    const fake = fakeHook(({ target }) => (target === 'a' ? NO : OK));
    const { tell, clock } = notifying({ registry: { fake: fake.hook }, specs: { ops: GROUPED } });
    for (const target of ['a', 'b']) tell(target, 'down');
    await clock.advance(1);
    tell('c', 'down');
    await clock.advance(10_000);
    tell('b', 'up');
    await clock.advance(10_000);
    const told = messagesOf(fake.events);
    expect(told).toContainEqual(['c down']);
    expect(told).not.toContainEqual(['b up']);
  });

  test('a storm of 300 targets in 10 groups is told in few messages, each of them down and up', async () => {
    const random = randomFrom(1);
    const fake = fakeHook(() => (random() < 0.3 ? NO : OK));
    const { tell, clock, of } = notifying({ registry: { fake: fake.hook }, specs: { ops: GROUPED } });
    const names = Array.from({ length: 300 }, (_, index) => `node-${index}`);
    for (const event of ['down', 'up'] as const) {
      for (const name of names) {
        tell(name, event, ['ops'], { group: `rack-${Number(name.slice(5)) % 10}` });
        await clock.advance(Math.floor(random() * 30));
      }
      await clock.advance(60_000);
    }
    await clock.advance(600_000);
    const delivered = of('hook').filter((line) => line.includes(' ok '));
    expect(delivered.length).toBe(600);
    expect(new Set(fake.events.map(({ id }) => id)).size).toBeLessThanOrEqual(6);
    for (const name of names) {
      const lines = delivered.filter((line) => line.startsWith(`hook ${name} `));
      expect(lines.map((line) => line.split(' ')[3])).toEqual(['down', 'up']);
    }
  });
});
