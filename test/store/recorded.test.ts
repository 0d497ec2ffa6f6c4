import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { expect, test } from 'vitest';
import { BRAKES } from '../../src/core/brakes.ts';
import { combine } from '../../src/core/observer.ts';
import { endOf } from '../../src/core/recorded.ts';
import type { Target } from '../../src/core/target.ts';
import { createRehearsal } from '../../src/recovery/rehearsal.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { createAttemptRecorder } from '../../src/store/attempts.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { keptIn } from '../../src/store/recorded.ts';
import { openStore } from '../../src/store/store.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { randomFrom } from '../support/random.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const NAMES = ['a', 'b', 'c', 'd'];

function newPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'vitald-recorded-')), 'vitald.db');
}

/** A state file with what became of targets whose attempts come at random, in streaks. */
async function recordedIn(path: string, seed: number): Promise<readonly Target[]> {
  const random = randomFrom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const clock = createFakeClock({ wallTime: Date.UTC(2026, 0, 1) });
  const store = await openStore({ path, clock: createSystemClock(), onTrouble: () => {}, onBack: () => {} });
  const targets = NAMES.map((name, index) =>
    aTarget({
      name,
      probe: { kind: name, settings: {} },
      dependsOn: index === 3 ? ['a'] : [],
      rules: {
        failureThreshold: pick([1, 2, 3]),
        successThreshold: pick([1, 2, 4]),
        confirm: { explicit: pick([0, 2_000]), silent: pick([0, 6_000]), path: pick([0, 10_000]) },
      },
    }),
  );
  const script = (): string =>
    Array.from({ length: 60 }, () =>
      pick(['+', '+', '-', 'h', 'p', '?', 'w']).repeat(1 + Math.floor(random() * 6)),
    ).join('');
  const recorder = createAttemptRecorder({ store, clock });
  const fleet = createFleet({
    probes: Object.fromEntries(NAMES.map((name) => [name, scriptedProbe(script())])),
    clock,
    observer: combine([recorder.observer]),
    redact: (text) => text,
  });
  fleet.apply(targets, { total: 99, perHost: 99 });
  await clock.advance(400_000);
  recorder.stop();
  await store.close();
  return targets;
}

test('whatever happened: by the same rules the record comes to what it came to', async () => {
  let incidents = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const path = newPath();
    const targets = await recordedIn(path, seed);
    const rehearsal = createRehearsal({
      targets,
      rules: { ladders: new Map(), brakes: BRAKES },
      steps: {},
      store: createMemoryStore(0),
      redact: (text) => text,
    });
    for (const attempt of keptIn(path, 4).attempts) await rehearsal.see(attempt);
    for (const name of NAMES) {
      const { recorded, replayed } = rehearsal.of(name)!;
      expect(replayed, `seed ${seed}, ${name}`).toEqual(recorded);
      incidents += recorded.length;
    }
  }
  expect(incidents).toBeGreaterThan(50);
});

test('attempts of all targets come in the order in which they ended, those of one in their own', async () => {
  const path = newPath();
  await recordedIn(path, 1);
  const attempts = [...keptIn(path, 4).attempts];
  const ends = attempts.map(endOf);
  const late = ends.filter((end, index) => end < (ends[index - 1] ?? -Infinity));
  // Only where the slowest of a row stands for all of it.
  expect(late.length).toBeLessThan(attempts.length / 10);
  expect(new Set(attempts.map(({ target }) => target)).size).toBe(NAMES.length);
});

test('a state of an earlier version has nothing on record', () => {
  const path = newPath();
  const db = new Libsql(path);
  db.exec('CREATE TABLE "target" (id INTEGER PRIMARY KEY)');
  db.close();
  expect([...keptIn(path, 4).attempts]).toEqual([]);
});
