import { describe, expect, test } from 'vitest';
import type { Group, GroupHealth } from '../../src/core/group.ts';
import { type Target } from '../../src/core/target.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createGroups } from '../../src/runtime/groups.ts';
import { createQuiet } from '../../src/runtime/quiet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const WIDE = { total: 100, perHost: 100 };

/** Members a, b, c of the group web, each with its script; a fleet on a fake clock, and what is told. */
function setUp(
  scripts: readonly string[],
  { atLeast = scripts.length, rows = new Map<string, GroupHealth>() } = {},
) {
  const clock = createFakeClock();
  const record = recorder();
  const told: string[] = [];
  const probes = Object.fromEntries(scripts.map((script, index) => [String(index), scriptedProbe(script)]));
  const targets = scripts.map((_, index) =>
    aTarget({ name: 'abc'[index]!, group: 'web', probe: { kind: String(index), settings: {} } }),
  );
  const observer: typeof record.observer = {
    ...record.observer,
    onAttempt(target, attempt, health) {
      quiet.seen(target, attempt, health);
      groups.seen(target, attempt, health);
    },
    onNews: ({ kind, name, notify }, { event, message }) =>
      told.push(`${kind ?? 'target'} ${name} ${event}${kind ? `: ${message} -> ${notify.join()}` : ''}`),
  };
  const quiet = createQuiet({
    clock,
    observer,
    rows: new Map(),
    keep: () => {},
    healthOf: (name) => fleet.health(name),
  });
  const fleet = createFleet({
    probes,
    clock,
    observer,
    redact: (text) => text,
    hushedBecause: quiet.because,
  });
  const groups = createGroups({
    clock,
    observer,
    hushedBecause: quiet.because,
    isDoubtful: () => false,
    episode: fleet.episode,
    rows: new Map(rows),
    keep: (name, health) => void (health ? rows.set(name, health) : rows.delete(name)),
  });
  const group: Group = { name: 'web', members: targets.map(({ name }) => name), atLeast, notify: ['ops'] };
  const apply = (targets: readonly Target[], declared: readonly Group[]): string[] => {
    quiet.apply(targets, []);
    const gone = groups.apply(declared).map(({ name }) => name);
    fleet.apply(targets, WIDE);
    return gone;
  };
  apply(targets, [group]);
  const state = (): string => groups.snapshot()[0]!.health.state;
  const ofGroup = (): string[] => told.filter((line) => line.startsWith('group'));
  return { clock, quiet, groups, told, ofGroup, state, apply, targets, group, rows };
}

describe('a group of which all are needed', () => {
  test('is down with its first member, and up with its last', async () => {
    const { clock, told, ofGroup, state } = setUp(['+', '+++---++', '+']);
    expect(state()).toBe('unknown');
    await clock.advance(10_000);
    expect(state()).toBe('up');
    await clock.advance(30_000);
    expect(ofGroup()).toEqual([
      'group web down: 2 of 3 available, all are needed; not b -> ops',
      'group web up: 3 of 3 available, all are needed -> ops',
    ]);
    expect(told.toSorted()).toEqual([...ofGroup(), 'target b down', 'target b up'].toSorted());
  });
});

describe('a group of which two of three are needed', () => {
  test('bears the loss of one', async () => {
    const { clock, ofGroup, state, told } = setUp(['+', '+-', '+'], { atLeast: 2 });
    await clock.advance(60_000);
    expect([state(), ofGroup(), told]).toEqual(['up', [], ['target b down']]);
  });

  test('and not that of two', async () => {
    const { clock, ofGroup, state } = setUp(['+', '+-', '+-'], { atLeast: 2 });
    await clock.advance(60_000);
    expect(state()).toBe('down');
    expect(ofGroup()).toEqual(['group web down: 1 of 3 available, 2 are needed; not b, c -> ops']);
  });

  test('a member that is paused counts as it last stood, and as it is when the pause is over', async () => {
    const { clock, ofGroup, state, quiet, told } = setUp(['+', '+-', '+-'], { atLeast: 2 });
    await clock.advance(4_999);
    quiet.pause({
      scope: { target: 'c' },
      reason: 'deploy',
      by: 'ann',
      forMs: 60_000,
      untilHealthy: false,
    });
    await clock.advance(60_000);
    expect([state(), told]).toEqual(['up', ['target b down']]);
    await clock.advance(10_000);
    expect(told.toSorted()).toEqual([...ofGroup(), 'target b down', 'target c down'].toSorted());
    expect(ofGroup().length).toBe(1);
  });

  test('one that is paused itself is told when the pause is over, if it still is down', async () => {
    const { clock, ofGroup, quiet, told } = setUp(['+', '+-', '+-'], { atLeast: 2 });
    quiet.pause({
      scope: { group: 'web' },
      reason: 'deploy',
      by: 'ann',
      forMs: 60_000,
      untilHealthy: false,
    });
    await clock.advance(60_000);
    expect(told).toEqual([]);
    await clock.advance(10_000);
    expect(ofGroup()).toEqual(['group web down: 1 of 3 available, 2 are needed; not b, c -> ops']);
  });
});

describe('what is kept', () => {
  test('after a restart the open incident is closed under its id, and nothing is told twice', async () => {
    const first = setUp(['-', '+'], { atLeast: 2 });
    await first.clock.advance(10_000);
    expect(first.ofGroup().length).toBe(1);
    const second = setUp(['--++', '+'], { atLeast: 2, rows: first.rows });
    await second.clock.advance(30_000);
    expect(second.ofGroup()).toEqual(['group web up: 2 of 2 available, all are needed -> ops']);
  });

  test('a reload keeps the incident; a group that is gone with one open is named', async () => {
    const { clock, apply, targets, group, ofGroup, rows, groups } = setUp(['-', '+'], { atLeast: 2 });
    await clock.advance(10_000);
    expect(apply(targets, [{ ...group, notify: ['other'] }])).toEqual([]);
    await clock.advance(10_000);
    expect(ofGroup().length).toBe(1);
    expect(apply(targets, [])).toEqual(['web']);
    expect([groups.snapshot(), rows.size]).toEqual([[], 0]);
    await clock.advance(10_000);
  });

  test('with fewer needed after a reload it is up again', async () => {
    const { clock, apply, targets, group, ofGroup } = setUp(['-', '+'], { atLeast: 2 });
    await clock.advance(10_000);
    apply(targets, [{ ...group, atLeast: 1 }]);
    await clock.advance(10_000);
    expect(ofGroup().at(-1)).toBe('group web up: 1 of 2 available, 1 is needed; not a -> ops');
  });
});
