import { expect, test } from 'vitest';
import type { SavedTarget } from '../../src/core/saved.ts';
import { type Fleet, createFleet } from '../../src/runtime/fleet.ts';
import { createKeeper } from '../../src/runtime/keeper.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { combine } from '../../src/core/observer.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const WIDE = { total: 99, perHost: 99 };

/** A process after another, on one store: each has a monotonic clock of its own. */
function process(script: string, store = createMemoryStore(0)) {
  const clock = createFakeClock({ now: 1_000 * Math.floor(script.length) });
  const puts: (SavedTarget | null)[] = [];
  const { observer, of } = recorder();
  let fleet: Fleet | undefined;
  const keeper = createKeeper({
    store: {
      kept: store.kept,
      put(table, key, row) {
        // As on the disk.
        const copy = JSON.parse(JSON.stringify(row)) as typeof row;
        puts.push(copy as SavedTarget | null);
        store.put(table, key, copy);
      },
    },
    clock,
    memoryOf: (name) => fleet!.memory(name),
  });
  fleet = createFleet({
    probes: { scripted: scriptedProbe(script) },
    clock,
    observer: combine([keeper.observer, observer]),
    redact: (text) => text,
    recall: keeper.recall,
  });
  return { clock, keeper, fleet, of, puts, store };
}

test('a target that is up again and again is kept once in ten seconds; what it comes to, at once', async () => {
  const target = aTarget({ rules: { intervalMs: 1_000, timeoutMs: 500, retryIntervalMs: 1_000 } });
  const { clock, fleet, puts } = process(`${'+'.repeat(60)}--`);
  fleet.apply([target], WIDE);
  await clock.advance(59_500);
  expect(puts.length).toBeLessThanOrEqual(7);
  expect(puts.at(-1)!.attempts).toBeGreaterThan(49);
  const before = puts.length;
  await clock.advance(1_500);
  expect(puts.length).toBe(before + 1);
  expect(puts.at(-1)).toMatchObject({ state: 'suspect', health: { evidence: { explicit: { count: 1 } } } });
  await fleet.stop();
});

test('after a crash a target goes on where it was: nothing is told twice, and its closing is told', async () => {
  const first = process('+---');
  first.fleet.apply([aTarget()], WIDE);
  await first.clock.advance(30_000);
  const [told] = first.of('news');
  expect(told).toBe('news t down no');
  const { attempts } = first.fleet.memory('t')!;

  const second = process('-++', first.store);
  second.fleet.apply([aTarget()], WIDE);
  expect(second.fleet.snapshot()[0]).toMatchObject({ health: { state: 'down' } });
  // What was learned in the last seconds of quiet may be lost.
  expect(second.fleet.memory('t')!.attempts).toBeGreaterThanOrEqual(attempts - 2);
  await second.clock.advance(30_000);
  expect(second.of('news')).toEqual(['news t up fine']);
  expect(second.of('transition')[0]).toBe('transition t down -> recovering');
});

test('an orderly end loses nothing', async () => {
  const first = process('+');
  first.fleet.apply([aTarget()], WIDE);
  await first.clock.advance(33_000);
  const memory = first.fleet.memory('t')!;
  first.keeper.stop();
  const { fleet } = process('+', first.store);
  fleet.apply([aTarget()], WIDE);
  const { attempts, missed, estimate, usual } = fleet.memory('t')!;
  expect({ attempts, missed, estimate, usual }).toEqual({
    attempts: memory.attempts,
    missed: memory.missed,
    estimate: memory.estimate,
    usual: memory.usual,
  });
});

test('a target that is gone is forgotten, and the incident that it leaves open is told', async () => {
  const { clock, fleet, keeper, store } = process('---');
  fleet.apply([aTarget(), aTarget({ name: 'other' })], WIDE);
  await clock.advance(30_000);
  const incident = store.kept('target').get('t')!.incident;
  expect(keeper.retain([aTarget({ name: 'other' })])).toEqual([{ name: 't', incident }]);
  expect([...store.kept('target').keys()]).toEqual(['other']);
  expect(keeper.retain([aTarget({ name: 'other' })])).toEqual([]);
  await fleet.stop();
});
