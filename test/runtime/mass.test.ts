import { once } from 'node:events';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fail, ok } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

/** Incidents that are told, each with what it has in common with others: a target for each script. */
async function told(
  scripts: readonly string[],
  ms: number,
  paused: readonly string[] = [],
): Promise<Map<string, (string | null)[]>> {
  const clock = createFakeClock();
  const news = new Map<string, (string | null)[]>();
  const probes = Object.fromEntries(scripts.map((script, index) => [`p${index}`, scriptedProbe(script)]));
  const { observer } = recorder();
  const fleet = createFleet({
    probes,
    clock,
    redact: (text) => text,
    hushedBecause: ({ name }) => (paused.includes(name) ? 'paused' : null),
    observer: {
      ...observer,
      onNews: ({ name }, { correlated }) => void news.set(name, [...(news.get(name) ?? []), correlated]),
    },
  });
  const targets = scripts.map((_, index) =>
    aTarget({ name: `t${index}`, probe: { kind: `p${index}`, settings: {} } }),
  );
  fleet.apply(targets, { total: 100, perHost: 100 });
  await clock.advance(ms);
  await fleet.stop();
  return news;
}

test('incidents of targets that fail together have an id in common, at both ends', async () => {
  const news = await told(
    Array.from({ length: 12 }, () => '++---++'),
    60_000,
  );
  expect(news.size).toBe(12);
  const ids = new Set([...news.values()].flat());
  expect([...ids]).toEqual([expect.stringMatching(/^mass-/)]);
  expect([...news.values()].every(({ length }) => length === 2)).toBe(true);
});

test('one that fails by itself has none, neither before nor after', async () => {
  const alone = '+---++'.padEnd(60, '+').concat('---++');
  const others = Array.from({ length: 19 }, () => '+'.repeat(20).concat('---++'));
  const news = await told([alone, ...others], 400_000);
  const [first, , second] = news.get('t0')!;
  expect([first, second]).toEqual([null, null]);
  // The first of them may be down before it can be known that many are.
  const common = [...news].filter(([name]) => name !== 't0').map(([, [id]]) => id);
  const known = common.filter((id) => id !== null);
  expect(known.length).toBeGreaterThan(16);
  expect([...new Set(known)]).toEqual([expect.stringMatching(/^mass-/)]);
});

test('the next time is another one', async () => {
  const news = await told(
    Array.from({ length: 12 }, () => '++---++'.padEnd(40, '+').concat('---++')),
    400_000,
  );
  const [first, , second] = news.get('t0')!;
  expect(first).not.toBe(second);
  for (const ids of news.values()) expect(ids).toEqual([first, first, second, second]);
});

test('a deploy of all the others makes no mass of the one that fails', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
  const news = await told(
    names.map(() => '++---++'),
    60_000,
    names.slice(1),
  );
  expect([...news]).toEqual([['t0', [null, null]]]);
});

/** Twelve targets and an anchor, each of which fails as it is told to for a time; what is told, with what it has in common. */
async function toldOf(
  failing: (name: string, second: number) => 'explicit' | 'path' | null,
): Promise<{ told: string[]; doubt: string[] }> {
  const clock = createFakeClock({ now: 0 });
  const { observer, of } = recorder();
  const told: string[] = [];
  const probe: Probe = {
    kind: 'timed',
    settings: z.unknown(),
    async attempt(_settings, { target, signal, enter }) {
      const how = failing(target, clock.now() / 1_000);
      if (how === null) return ok('fine');
      if (how === 'explicit') return fail('refused', 'no');
      enter('connect');
      await once(signal, 'abort');
      throw signal.reason;
    },
  };
  const fleet = createFleet({
    probes: { timed: probe },
    clock,
    redact: (text) => text,
    observer: {
      ...observer,
      onNews: ({ name }, { event, correlated }) =>
        void told.push(`${name} ${event} ${correlated ? 'with others' : 'alone'}`),
    },
  });
  const timed = { kind: 'timed', settings: {} };
  const rules = { confirm: { explicit: 2_000, silent: 6_000, path: 10_000 } };
  const targets = Array.from({ length: 12 }, (_, index) =>
    aTarget({ name: `t${index}`, host: `192.0.2.${index}`, probe: timed, rules }),
  );
  fleet.apply(targets, { total: 100, perHost: 100 }, [aTarget({ name: 'anchor', probe: timed })]);
  await clock.advance(200_000);
  await fleet.stop();
  return { told, doubt: of('doubt') };
}

test('it was the agent: what fails by itself afterwards has nothing in common with it', async () => {
  const { told, doubt } = await toldOf((name, second) => {
    if (second >= 60 && second < (name === 't5' ? 150 : 80)) return 'path';
    return name === 't3' && second >= 112 && second < 130 ? 'explicit' : null;
  });
  expect(doubt).toEqual(['doubt begins anchors lost 4', 'doubt ends 0']);
  expect(told.toSorted()).toEqual(['t3 down alone', 't3 up alone', 't5 down alone', 't5 up alone']);
});

test('all of them are up again: what fails by itself afterwards has nothing in common with them', async () => {
  const { told } = await toldOf((name, second) =>
    name !== 'anchor' && second >= 60 && second < 70
      ? 'explicit'
      : name === 't3' && second >= 95 && second < 110
        ? 'explicit'
        : null,
  );
  expect(told.filter((line) => line === 't3 down with others')).toHaveLength(1);
  expect(told.slice(-2)).toEqual(['t3 down alone', 't3 up alone']);
});
