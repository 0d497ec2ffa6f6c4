import { expect, test } from 'vitest';
import { type Circumstances, type Health, judge, unknownHealth } from '../../src/core/health.ts';
import { combine } from '../../src/core/observer.ts';
import { ok } from '../../src/core/outcome.ts';
import { type AttemptsRow, attemptsOf, rowOf } from '../../src/core/recorded.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createAttemptRecorder } from '../../src/store/attempts.ts';
import { circumstances } from '../support/circumstances.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

/** The rows that are written of a target whose attempts come out as in the script, and how often one was. */
async function written(script: string, ms: number) {
  const clock = createFakeClock();
  const rows = new Map<string, AttemptsRow>();
  let writes = 0;
  const recorder = createAttemptRecorder({
    clock,
    store: {
      put(_table, key, row) {
        writes++;
        rows.set(key!, row as AttemptsRow);
      },
    },
  });
  const fleet = createFleet({
    probes: { scripted: scriptedProbe(script) },
    clock,
    observer: combine([recorder.observer]),
    redact: (text) => text,
  });
  fleet.apply([aTarget()], { total: 9, perHost: 9 });
  await clock.advance(ms);
  const before = writes;
  recorder.stop();
  return { rows: [...rows.values()], writes: before };
}

test('a target that is up and stays up is one row that grows, and is seldom written', async () => {
  const { rows, writes } = await written('+', 600_000);
  expect(rows.length).toBe(1);
  const [row] = rows;
  expect(row).toMatchObject({ target: 't', status: 'ok', reason: null, state: 'up' });
  expect(row!.count).toBeGreaterThan(100);
  expect(row!.last - row!.first).toBeGreaterThan(590_000);
  expect(writes).toBeLessThanOrEqual(11);
});

test('what is being found out is kept attempt by attempt, and what lasts is not', async () => {
  const { rows } = await written('+------------------+', 600_000);
  const said = rows.map(({ status, state, count, confirmation }) =>
    [status, state, count, ...(confirmation ? ['confirmation'] : [])].join(' '),
  );
  expect(said).toMatchInlineSnapshot(`
    [
      "ok up 1",
      "fail suspect 1",
      "fail suspect 1 confirmation",
      "fail down 1 confirmation",
      "fail down 15",
      "ok recovering 1",
      "ok up 103",
    ]
  `);
});

test('an attempt that says nothing is no part of the record', async () => {
  const { rows } = await written('+?+', 60_000);
  expect(rows.map(({ status }) => status)).toEqual(['ok']);
});

test('a row is its attempts: the first and the last to the millisecond, good ones without the middle', () => {
  const row: AttemptsRow = {
    target: 't',
    first: 1_000,
    last: 100_000,
    count: 100,
    status: 'fail',
    reason: 'refused',
    state: 'down',
    first_ms: 2,
    slowest_ms: 30,
    session: 0,
  };
  const failures = [...attemptsOf(row, 3)];
  expect(failures.map(({ start }) => start)).toEqual(Array.from({ length: 100 }, (_, n) => (n + 1) * 1_000));
  expect(failures.map(({ latencyMs }) => latencyMs)).toEqual([2, ...Array.from({ length: 99 }, () => 30)]);
  const good = [...attemptsOf({ ...row, status: 'ok', reason: null, state: 'up' }, 50)];
  expect(good.length).toBe(51);
  expect(good.at(-1)!.start).toBe(100_000);
  expect([...attemptsOf({ ...row, count: 1, last: 1_000 }, 3)].map(({ start }) => start)).toEqual([1_000]);
});

const GOOD = { outcome: ok('fine'), number: 1, at: 0, startedAt: 0, latencyMs: 1, phases: {} };
const judgedUp = (): Health => judge(unknownHealth(0), GOOD, circumstances()).health;

test('what an agent thinks of itself does not cut short the row of a target that is up', () => {
  const row = (differing: Partial<Circumstances>, health = judgedUp()): unknown =>
    rowOf('t', GOOD, health, circumstances(differing), { offset: 0, session: 0 });
  const usual = row({});
  for (const differing of [
    { doubt: { score: 3, doubtful: false } },
    { regular: false },
    { hushed: true },
    { unreachable: true },
    { pathWorks: false },
  ]) {
    expect(row(differing)).toEqual(usual);
  }
  expect(row({ unverified: true })).toMatchObject({ unverified: true });
  expect(row({ doubt: { score: 4, doubtful: true } })).toMatchObject({ doubtful: true });
});
