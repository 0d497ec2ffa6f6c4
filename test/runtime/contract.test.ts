import { describe, expect, test } from 'vitest';
import { type Calibration, NO_CALIBRATION, totalOf } from '../../src/core/calibration.ts';
import type { Contract } from '../../src/core/contract.ts';
import { combine } from '../../src/core/observer.ts';
import { phaseOf } from '../../src/core/schedule.ts';
import type { Target } from '../../src/core/target.ts';
import { type Fleet, createFleet } from '../../src/runtime/fleet.ts';
import { createKeeper } from '../../src/runtime/keeper.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { type ScriptedProbe, scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const WIDE = { total: 99, perHost: 99 };
const HOUR_MS = 3_600_000;
const CONTRACT: Contract = {
  detectWithinMs: 15_100,
  maxFalseDown: 1 / (24 * HOUR_MS),
  written: { confirm: {} },
};

function promised(rest: Partial<Target> = {}): Target {
  return aTarget({ contract: CONTRACT, ...rest });
}

/** A fleet whose epoch is 1000, and what it keeps. */
function setUp(probes: Readonly<Record<string, ScriptedProbe>>, store = createMemoryStore(0)) {
  const clock = createFakeClock();
  const record = recorder();
  let fleet: Fleet | undefined;
  const keeper = createKeeper({ store, clock, memoryOf: (name) => fleet!.memory(name) });
  fleet = createFleet({
    probes,
    clock,
    observer: combine([keeper.observer, record.observer]),
    redact: (text) => text,
    recall: keeper.recall,
  });
  const calibration = (name = 't'): Calibration => fleet.memory(name)!.calibration;
  return { clock, fleet, store, calibration, ...record };
}

test('after a quiet hour the interval grows: on its grid, and nothing is missed or forgotten', async () => {
  const scripted = scriptedProbe('+');
  const { clock, fleet, of } = setUp({ scripted });
  fleet.apply([promised()], WIDE);
  await clock.advance(HOUR_MS + 60_000);
  await fleet.stop();
  expect(of('contract')).toEqual(['contract t 5000', 'contract t 10000']);
  expect(of('missed')).toEqual([]);
  expect(of('transition')).toEqual(['transition t unknown -> up']);
  const { starts } = scripted;
  const changed = starts.findIndex((at) => at > starts[0]! + HOUR_MS);
  const gaps = starts.slice(1).map((at, index) => at - starts[index]!);
  expect(new Set(gaps.slice(0, changed - 1))).toEqual(new Set([5_000]));
  expect(gaps[changed - 1]).toBeLessThanOrEqual(10_000);
  expect(new Set(gaps.slice(changed))).toEqual(new Set([10_000]));
  expect((starts[changed]! - 1_000 - phaseOf('t', 10_000)) % 10_000).toBe(0);
});

test('blips are learned, and incidents are not', async () => {
  const { clock, fleet, calibration } = setUp({ scripted: scriptedProbe('+-+++p+-----------+++++++') });
  fleet.apply([promised()], WIDE);
  await clock.advance(120_000);
  const { blips, watchedMs } = totalOf(calibration());
  expect(blips.explicit).toMatchObject({ count: 1, heardMs: 0, lastedMs: 500 });
  expect(blips.path.count).toBe(1);
  expect(watchedMs % 5_000).toBe(0);
  expect(watchedMs).toBeGreaterThan(10_000);
  await fleet.stop();
});

test('a failure while a dependency is not up is no blip of its own', async () => {
  const parent = scriptedProbe('+-------------------------------------');
  const child = scriptedProbe('++-+-+-+-+-+-+');
  const { clock, fleet, calibration } = setUp({ parent, child });
  fleet.apply(
    [
      aTarget({ name: 'db', probe: { kind: 'parent', settings: {} } }),
      promised({ name: 'api', probe: { kind: 'child', settings: {} }, dependsOn: ['db'] }),
    ],
    WIDE,
  );
  await clock.advance(100_000);
  expect(child.starts.length).toBeGreaterThan(5);
  expect(totalOf(calibration('api')).blips.explicit.count).toBe(0);
  await fleet.stop();
});

describe('what was learned', () => {
  test('outlives a reload with other rules, and a restart', async () => {
    const { clock, fleet, store, calibration } = setUp({ scripted: scriptedProbe('+-+-+') });
    fleet.apply([promised()], WIDE);
    await clock.advance(60_000);
    fleet.apply([promised({ rules: { ...promised().rules, successThreshold: 1 } })], WIDE);
    expect(totalOf(calibration()).blips.explicit.count).toBe(2);

    const later = setUp({ scripted: scriptedProbe('+') }, store);
    later.fleet.apply([promised()], WIDE);
    expect(totalOf(later.calibration()).blips.explicit.count).toBe(2);
  });

  test('is of no use for another probe', async () => {
    const { clock, fleet, store, calibration } = setUp({ scripted: scriptedProbe('+-+-+') });
    fleet.apply([promised()], WIDE);
    await clock.advance(60_000);
    const other = promised({ probe: { kind: 'scripted', settings: { port: 2 } } });
    fleet.apply([other], WIDE);
    expect(calibration()).toEqual(NO_CALIBRATION);
    const later = setUp({ scripted: scriptedProbe('+') }, store);
    later.fleet.apply([other], WIDE);
    expect(later.calibration()).toEqual(NO_CALIBRATION);
  });

  test('is written where it would matter, and not with each attempt', async () => {
    const puts: string[] = [];
    const store = createMemoryStore(0);
    const counting = {
      ...store,
      put: (...[table, key, row]: Parameters<typeof store.put>) => {
        puts.push(table);
        store.put(table, key, row);
      },
    };
    const { clock, fleet } = setUp({ scripted: scriptedProbe('+++-+') }, counting);
    fleet.apply([promised()], WIDE);
    await clock.advance(600_000);
    await fleet.stop();
    expect(puts.filter((table) => table === 'calibration')).toHaveLength(1);
  });
});

test('without a contract nothing is learned', async () => {
  const { clock, fleet, of, calibration, store } = setUp({ scripted: scriptedProbe('+-+-+') });
  fleet.apply([aTarget()], WIDE);
  await clock.advance(60_000);
  expect(calibration()).toBe(NO_CALIBRATION);
  expect(of('contract')).toEqual([]);
  expect(store.kept('calibration').size).toBe(0);
  await fleet.stop();
});
