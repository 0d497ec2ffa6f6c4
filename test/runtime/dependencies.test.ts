import { describe, expect, test } from 'vitest';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const CONFIRM = { explicit: 2_000, silent: 6_000, path: 10_000 };

/** A database and twenty targets on top of it, each on its own phase, with the scripts of their probes. */
function setUp(db: string, app: string, ms = 60_000) {
  const clock = createFakeClock();
  const record = recorder();
  const dbProbe = scriptedProbe(db);
  const probes = { db: dbProbe, app: scriptedProbe(app) };
  const fleet = createFleet({ probes, clock, observer: record.observer, redact: (text) => text });
  fleet.apply(
    [
      aTarget({ name: 'db', probe: { kind: 'db', settings: {} }, rules: { confirm: CONFIRM } }),
      ...Array.from({ length: 20 }, (_, index) =>
        aTarget({
          name: `app-${index}`,
          probe: { kind: 'app', settings: {} },
          rules: { confirm: CONFIRM },
          dependsOn: ['db'],
        }),
      ),
    ],
    { total: 100, perHost: 100 },
  );
  return { clock, dbProbe, ...record, run: () => clock.advance(ms).then(() => record.of('news')) };
}

describe('what depends on a target that fails', () => {
  test.each(['h', '-', 'p'])('raises no incident of its own, however the target fails (%s)', async (db) => {
    // All begin to fail at once, and some of them are asked long before the database is.
    const { run } = setUp(db, '-');
    const news = await run();
    expect(news.filter((line) => line.startsWith('news db'))).toHaveLength(1);
    expect(news.filter((line) => line.startsWith('news app'))).toEqual([]);
  });

  test('goes down by itself as quickly as ever where the target answers', async () => {
    const { run, dbProbe } = setUp('+', '-', 8_000);
    expect(await run()).toHaveLength(20);
    // Its grid, and one more for each of the targets that began to fail since.
    expect(dbProbe.starts.length).toBeLessThan(25);
  });

  test('goes down all the same where nothing can be learned of the target', async () => {
    const { run } = setUp('?', '-');
    expect(await run()).toHaveLength(20);
  });
});
