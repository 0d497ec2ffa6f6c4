import { describe, expect, it } from 'vitest';
import type { ActionRow } from '../../src/core/action.ts';
import { BRAKES } from '../../src/core/brakes.ts';
import { randomFrom } from '../support/random.ts';
import { type Acted, type World, aStep, createWorld } from '../support/recovery-world.ts';
import { aTarget } from '../support/targets.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** The most of these that fall into any span of that length. */
function mostWithin(acted: readonly Acted[], withinMs: number): number {
  const times = acted.map(({ at }) => at).toSorted((a, b) => a - b);
  return Math.max(0, ...times.map((at, i) => times.slice(i).filter((other) => other - at < withinMs).length));
}

function rowsOf(world: World): ActionRow[] {
  return [...(world.disk().tables.get('action')?.values() ?? [])] as unknown as ActionRow[];
}

function by<T>(things: readonly T[], key: (thing: T) => string): T[][] {
  const sorted = new Map<string, T[]>();
  for (const thing of things) sorted.set(key(thing), [...(sorted.get(key(thing)) ?? []), thing]);
  return [...sorted.values()];
}

const groupOf = (target: string): string => target.split('-')[0]!;

/** What has to hold of everything that was done, whatever happened. */
function checkBudgets(world: World, { asks }: { readonly asks: (step: string) => boolean }): void {
  expect(world.mostAtOnce()).toBeLessThanOrEqual(1);
  expect(new Set(world.acted.map(({ id }) => id)).size).toBe(world.acted.length);
  for (const own of by(world.acted, ({ target }) => target)) {
    const acts = own.filter(({ step }) => !asks(step));
    expect(mostWithin(acts, BRAKES.perTarget.withinMs)).toBeLessThanOrEqual(BRAKES.perTarget.most);
    expect(mostWithin(own, DAY)).toBeLessThanOrEqual(BRAKES.perDay);
    expect(mostWithin(own, BRAKES.coolDownMs * 0.8)).toBeLessThanOrEqual(1);
  }
  for (const group of by(world.acted, ({ target }) => groupOf(target))) {
    expect(mostWithin(group, BRAKES.perGroup.withinMs)).toBeLessThanOrEqual(1);
  }
  expect(mostWithin(world.acted, BRAKES.overall.withinMs)).toBeLessThanOrEqual(BRAKES.overall.most);
}

describe('whatever happens, no two actions at once, no budget exceeded, all verified or given up', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('schedule %i', async (seed) => {
    const random = randomFrom(seed);
    const chance = (share: number): boolean => random() < share;
    const targets = ['a', 'b', 'c'].flatMap((group) =>
      [1, 2, 3, 4].map((n) =>
        aTarget({
          name: `${group}-${n}`,
          group,
          recover: ['mend'],
          rules: { intervalMs: 10_000, retryIntervalMs: 1_000 },
        }),
      ),
    );
    const ladders = [
      [aStep('mend/1'), aStep('mend/2', { attempts: 2 }), aStep('mend/3', { asks: true })],
      [aStep('mend/1', { attempts: 5, on: ['explicit', 'silent', 'path'] })],
      [aStep('mend/1', { on: ['silent'] }), aStep('mend/2', { cancelOnUp: true, attempts: 4 })],
    ] as const;
    let hope = 0.4;
    const world = createWorld({
      targets,
      ladder: ladders[0],
      random,
      act(acted, { set }) {
        if (chance(hope)) set(acted.target, 'ok');
        return chance(0.3) ? 'failed' : { lasts: random() * 20 * SECOND };
      },
    });
    for (let turn = 0; turn < 150; turn++) {
      const { name } = targets[Math.floor(random() * targets.length)]!;
      if (chance(0.5)) world.set(name, chance(0.5) ? 'ok' : chance(0.7) ? 'refused' : 'timeout');
      if (chance(0.08)) world.set(name, 'void');
      if (chance(0.2)) world.crash();
      if (chance(0.1)) world.reload(targets, ladders[Math.floor(random() * ladders.length)]);
      if (chance(0.1)) world.disk().lagMs = chance(0.5) ? null : random() * 6_000;
      if (chance(0.3)) world.disk().lagMs = 5;
      if (chance(0.1)) world.circumstances.hushed = chance(0.5) ? 'paused: x' : null;
      if (chance(0.1)) world.circumstances.doubtful = chance(0.3);
      if (chance(0.05)) world.circumstances.pausedAt = world.clock.now();
      await world.clock.advance(random() * MINUTE);
    }
    Object.assign(world.circumstances, { hushed: null, doubtful: false });
    world.disk().lagMs = 5;
    hope = 0;
    // Half of a group is no panic's worth: these go on failing until recovery has given up.
    for (const { name } of targets) world.set(name, name.endsWith('1') ? 'refused' : 'ok');
    await world.clock.advance(180 * MINUTE);
    checkBudgets(world, { asks: (step) => step === 'mend/3' });
    expect(world.acted.length).toBeGreaterThan(5);
    const rows = rowsOf(world);
    expect(rows.filter(({ outcome }) => outcome === null)).toEqual([]);
    // What was done is on the disk, and nothing that was not.
    const counted = rows.filter(({ counted }) => counted).map(({ id }) => id);
    for (const { id } of world.acted) expect(counted).toContain(id);
    for (const { name } of targets.filter((target) => target.name.endsWith('1'))) {
      const standing = world.recovery().standing(name)!;
      const waits = standing.holds.some(({ gate }) => gate === 'gave_up' || gate === 'attempts');
      expect([name, standing.gaveUp !== null || waits]).toEqual([name, true]);
    }
  });
});
