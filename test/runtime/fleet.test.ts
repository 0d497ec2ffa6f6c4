import { describe, expect, test } from 'vitest';
import { phaseOf } from '../../src/core/schedule.ts';
import type { Target } from '../../src/core/target.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { type ScriptedProbe, scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const WIDE = { total: 100, perHost: 100 };

/** A fleet on a fake clock whose epoch is 1000, with a probe of each name. */
function setUp(probes: Readonly<Record<string, ScriptedProbe>>) {
  const clock = createFakeClock();
  const record = recorder();
  const fleet = createFleet({ probes, clock, observer: record.observer, redact: (text) => text });
  return { clock, fleet, ...record };
}

/** Starts relative to the first grid start of the target. */
function onGrid(probe: ScriptedProbe, { name, rules }: Target): number[] {
  return probe.starts.map((at) => at - 1_000 - phaseOf(name, rules.intervalMs));
}

describe('the schedule', () => {
  test('start to start on the hashed phase, from the first interval on', async () => {
    const scripted = scriptedProbe('+');
    const target = aTarget();
    const { clock, fleet } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(20_000);
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 10_000, 15_000]);
  });

  test('at retry_interval while suspect, and back to the grid', async () => {
    const scripted = scriptedProbe('+--+');
    const target = aTarget();
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(20_000);
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 6_000, 7_000, 10_000, 15_000]);
    expect(of('transition')).toEqual([
      'transition t unknown -> up',
      'transition t up -> suspect',
      'transition t suspect -> up',
    ]);
    expect(of('missed')).toEqual([]);
  });

  test('down at the threshold, then at the interval, and at retry_interval again while recovering', async () => {
    const scripted = scriptedProbe('----++');
    const target = aTarget();
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(20_000);
    expect(onGrid(scripted, target)).toEqual([0, 1_000, 2_000, 5_000, 10_000, 11_000, 15_000]);
    expect(of('transition')).toEqual([
      'transition t unknown -> suspect',
      'transition t suspect -> down (down)',
      'transition t down -> recovering',
      'transition t recovering -> up (up)',
    ]);
  });

  test('confirmations overlap: silence is found out at retry_interval, not at the timeout', async () => {
    const scripted = scriptedProbe('h');
    const target = aTarget({ rules: { failureThreshold: 4 } });
    const { clock, fleet } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(15_000);
    expect(onGrid(scripted, target).slice(0, 5)).toEqual([0, 2_000, 3_000, 4_000, 5_000]);
    expect(scripted.mostActive).toBe(2);
  });

  test('a refusal is down when its window is over, at the spacing of confirmations', async () => {
    const scripted = scriptedProbe('+-');
    const target = aTarget({ rules: { confirm: { explicit: 2_500, silent: 6_000, path: 10_000 } } });
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(9_000 + phaseOf('t', 5_000));
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 6_000, 7_000, 7_500]);
    expect(of('transition').at(-1)).toBe('transition t suspect -> down (down)');
  });

  test('silence is looked into before the timeout, and is down exactly when its window is over', async () => {
    const scripted = scriptedProbe('+h');
    const target = aTarget({
      rules: { suspectAfter: 'auto', confirm: { explicit: 2_000, silent: 6_300, path: 10_000 } },
    });
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    const start = 5_000 + phaseOf('t', 5_000);
    await clock.advance(start + 6_299);
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 5_500, 6_500, 7_500, 8_500, 9_300, 10_300]);
    expect(of('transition').at(-1)).toBe('transition t up -> suspect');
    await clock.advance(1);
    expect(of('transition').at(-1)).toBe('transition t suspect -> down (down)');
    expect(scripted.mostActive).toBe(3);
  });

  test('an answer that is late, but comes, costs one more attempt and no suspicion', async () => {
    const scripted = scriptedProbe('+h+');
    const target = aTarget({ rules: { suspectAfter: 700 } });
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(11_000 + phaseOf('t', 5_000));
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 5_700, 10_000]);
    expect(of('transition')).toEqual(['transition t unknown -> up']);
    expect(of('missed')).toEqual([]);
  });

  test('void attempts change nothing and keep the interval', async () => {
    const scripted = scriptedProbe('?');
    const target = aTarget();
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(15_000);
    expect(onGrid(scripted, target)).toEqual([0, 5_000, 10_000]);
    expect(of('transition')).toEqual([]);
  });

  test('after a stall of the agent, starts are missed, counted and not caught up', async () => {
    const scripted = scriptedProbe('+');
    const target = aTarget({ rules: { intervalMs: 1_000, timeoutMs: 500 } });
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([target], WIDE);
    await clock.advance(1_500);
    const before = scripted.starts.length;
    clock.stall(10_000);
    await clock.advance(0);
    expect(scripted.starts.length - before).toBe(1);
    await clock.advance(1_000);
    expect(scripted.starts.length - before).toBe(2);
    const missed = fleet.snapshot()[0]!.missed;
    expect(missed).toBeGreaterThanOrEqual(9);
    expect(of('missed')).toEqual([`missed t ${missed}`]);
  });

  test('a zombie gives its place back, and its target starts nothing until it has ended', async () => {
    const zombie = scriptedProbe('z+');
    const other = scriptedProbe('+');
    const { clock, fleet } = setUp({ zombie, other });
    const stuck = aTarget({ name: 'stuck', probe: { kind: 'zombie', settings: {} } });
    const free = aTarget({ name: 'free', probe: { kind: 'other', settings: {} } });
    fleet.apply([stuck, free], { total: 1, perHost: 1 });
    await clock.advance(20_000);
    expect(zombie.starts.length).toBe(1);
    expect(other.starts.length).toBeGreaterThanOrEqual(3);
    expect(fleet.snapshot().find(({ target }) => target === 'stuck')!.health.state).toBe('suspect');
    zombie.release();
    await clock.advance(10_000);
    expect(zombie.starts.length).toBeGreaterThan(1);
    expect(zombie.mostActive).toBe(1);
  });
});

describe('places', () => {
  test('no more than the total run at once; waiting is lateness and does not eat the timeout', async () => {
    const scripted = scriptedProbe('h');
    const { clock, fleet, of } = setUp({ scripted });
    const rules = { intervalMs: 10_000, timeoutMs: 1_000, failureThreshold: 99, retryIntervalMs: 10_000 };
    fleet.apply(
      Array.from({ length: 6 }, (_, i) => aTarget({ name: `t${i}`, rules })),
      { total: 2, perHost: 9 },
    );
    await clock.advance(10_000);
    expect(scripted.mostActive).toBe(2);
    expect(of('attempt').every((line) => line.includes(' fail '))).toBe(true);
    await fleet.stop();
  });

  test('no more than per_host to one host, and others are not held up by it', async () => {
    const slow = scriptedProbe('h');
    const quick = scriptedProbe('+');
    const { clock, fleet } = setUp({ slow, quick });
    const rules = { intervalMs: 10_000, timeoutMs: 9_000 };
    const targets = [
      ...Array.from({ length: 5 }, (_, i) =>
        aTarget({ name: `s${i}`, host: 'a', probe: { kind: 'slow', settings: {} }, rules }),
      ),
      aTarget({ name: 'q', host: 'b', probe: { kind: 'quick', settings: {} }, rules }),
    ];
    fleet.apply(targets, { total: 3, perHost: 2 });
    await clock.advance(10_000);
    expect(slow.mostActive).toBe(2);
    expect(quick.starts.length).toBe(1);
    await fleet.stop();
  });
});

test('the end waits for probes that ignore their signal, but not for ever', async () => {
  const scripted = scriptedProbe('z');
  const { clock, fleet } = setUp({ scripted });
  fleet.apply([aTarget()], WIDE);
  while (scripted.active === 0) await clock.advance(100);
  let stopped = false;
  void fleet.stop().then(() => {
    stopped = true;
  });
  await clock.advance(1_999);
  expect(stopped).toBe(false);
  await clock.advance(1);
  expect(stopped).toBe(true);
});

describe('dependencies', () => {
  test('while a parent is not up, failures open no incident; afterwards there is full grace', async () => {
    const parent = scriptedProbe('+------++');
    const child = scriptedProbe('+-----------------');
    const { clock, fleet, of } = setUp({ parent, child });
    fleet.apply(
      [
        aTarget({ name: 'db', probe: { kind: 'parent', settings: {} } }),
        aTarget({ name: 'api', probe: { kind: 'child', settings: {} }, dependsOn: ['db'] }),
      ],
      WIDE,
    );
    await clock.advance(90_000);
    const lines = of('transition');
    const parentUp = lines.indexOf('transition db recovering -> up (up)');
    const childDown = lines.indexOf('transition api suspect -> down (down)');
    expect(lines).toContain('transition db suspect -> down (down)');
    expect(parentUp).toBeGreaterThan(0);
    expect(childDown).toBeGreaterThan(parentUp);
    await fleet.stop();
  });
});

test('a long chain of dependencies costs no more than a short one', async () => {
  const scripted = scriptedProbe('-');
  const { clock, fleet } = setUp({ scripted });
  const chain = Array.from({ length: 5_000 }, (_, i) =>
    aTarget({ name: `t${i}`, dependsOn: i === 0 ? [] : [`t${i - 1}`], rules: { intervalMs: 60_000 } }),
  );
  fleet.apply(chain, { total: 9_000, perHost: 9_000 });
  expect(fleet.snapshot().length).toBe(5_000);
  await fleet.stop();
  expect(clock.pending).toBe(0);
});

describe('apply', () => {
  test('an untouched target keeps state, phase and counters; its loop does not even notice', async () => {
    const scripted = scriptedProbe('---');
    const { clock, fleet } = setUp({ scripted });
    const kept = aTarget({ name: 'kept' });
    fleet.apply([kept], WIDE);
    await clock.advance(10_000);
    const [before] = fleet.snapshot();
    expect(before!.health.state).toBe('down');
    for (let i = 0; i < 50; i++) {
      const changes = fleet.apply([structuredClone(kept), aTarget({ name: `new-${i}` })], WIDE);
      expect(changes).toMatchObject({ added: 1, removed: i === 0 ? 0 : 1, changed: 0, kept: 1 });
    }
    expect(fleet.snapshot()[0]).toEqual(before);
    const starts = scripted.starts.length;
    fleet.apply([kept], WIDE);
    await clock.advance(5_000);
    expect(scripted.starts.length).toBe(starts + 1);
    await fleet.stop();
    expect(clock.pending).toBe(0);
  });

  test('a changed target keeps its open incident, so that its closing is told', async () => {
    const scripted = scriptedProbe('---++');
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply([aTarget({ name: 'a' })], WIDE);
    await clock.advance(5_000);
    const changes = fleet.apply([aTarget({ name: 'a', rules: { intervalMs: 3_000 } })], WIDE);
    expect(changes).toMatchObject({ changed: 1, added: 0, removed: 0 });
    await clock.advance(10_000);
    expect(of('transition').slice(-2)).toEqual([
      'transition a down -> recovering',
      'transition a recovering -> up (up)',
    ]);
    await fleet.stop();
  });

  test.each([
    ['other rules go on with what was counted', { rules: { successThreshold: 5 } }, 2],
    [
      'a probe that asks something else begins to count anew',
      { probe: { kind: 'scripted', settings: { other: 1 } } },
      0,
    ],
  ])('%s', async (_what, change, counted) => {
    const { clock, fleet } = setUp({ scripted: scriptedProbe('--') });
    fleet.apply([aTarget()], WIDE);
    const count = (): number => fleet.memory('t')!.health.evidence.explicit?.count ?? 0;
    while (count() < 2) await clock.advance(100);
    fleet.apply([aTarget(change)], WIDE);
    expect(count()).toBe(counted);
    expect(fleet.snapshot()[0]!.health.state).toBe('suspect');
    await fleet.stop();
  });

  test('an attempt of a removed target has no outcome', async () => {
    const hanging = scriptedProbe('h');
    const failing = scriptedProbe('-');
    const { clock, fleet, lines } = setUp({ hanging, failing });
    fleet.apply(
      [
        aTarget({ name: 'gone', probe: { kind: 'hanging', settings: {} } }),
        aTarget({ name: 'broken', probe: { kind: 'failing', settings: {} } }),
      ],
      WIDE,
    );
    while (hanging.active === 0) await clock.advance(100);
    await clock.advance(1_000);
    const changes = fleet.apply([], WIDE);
    const told = lines.length;
    await clock.advance(60_000);
    expect(lines.length).toBe(told);
    expect(hanging.active).toBe(0);
    expect(changes.removed).toBe(2);
    // What is left is the agent's watch over itself.
    expect(clock.pending).toBe(1);
  });

  test('a changed target never has two attempts at once, even where the old probe ignores its end', async () => {
    const scripted = scriptedProbe('z+');
    const { clock, fleet } = setUp({ scripted });
    fleet.apply([aTarget({ name: 'a' })], WIDE);
    while (scripted.active === 0) await clock.advance(100);
    for (const failureThreshold of [9, 8, 7]) {
      fleet.apply([aTarget({ name: 'a', rules: { failureThreshold } })], WIDE);
      await clock.advance(1_000);
    }
    fleet.apply([], WIDE);
    fleet.apply([aTarget({ name: 'a' })], WIDE);
    await clock.advance(20_000);
    expect(scripted.starts.length).toBe(1);
    scripted.release();
    await clock.advance(10_000);
    expect(scripted.starts.length).toBeGreaterThan(1);
    expect(scripted.mostActive).toBe(1);
  });
});
