import { expect, test } from 'vitest';
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
