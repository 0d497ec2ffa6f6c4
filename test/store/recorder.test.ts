import { expect, test } from 'vitest';
import type { TimelineRow } from '../../src/core/store.ts';
import { combine } from '../../src/core/observer.ts';
import { NO_DOUBT } from '../../src/core/doubt.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createRecorder } from '../../src/store/recorder.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

/** What is written of a target whose attempts come out as in the script. */
async function written(script: string, ms: number) {
  const clock = createFakeClock();
  const timeline: TimelineRow[] = [];
  const keys: (string | null)[] = [];
  const kept = createMemoryStore(0);
  const observer = combine([
    createRecorder({
      clock,
      store: {
        kept: kept.kept,
        put(table, key, row) {
          if (table === 'timeline') {
            const at = key !== null && keys.includes(key) ? keys.indexOf(key) : keys.push(key) - 1;
            timeline[at] = row as TimelineRow;
          }
          kept.put(table, key, row);
        },
      },
    }),
  ]);
  const fleet = createFleet({
    probes: { scripted: scriptedProbe(script) },
    clock,
    observer,
    redact: (text) => text,
  });
  fleet.apply([aTarget({ group: 'g' })], { total: 9, perHost: 9 });
  await clock.advance(ms);
  return {
    observer,
    incidents: () => [...kept.kept('incident').values()],
    /** The words of the timeline. */
    story: () => timeline.map(({ what, detail }) => `${what}: ${detail}`),
    timeline,
  };
}

test('an incident, from the first failure to the verified end', async () => {
  const { incidents, story, timeline } = await written('+---+-++', 60_000);
  expect(story()).toEqual([
    'first failure: no',
    'down: refused: no',
    'told: down',
    'recovering: fine',
    'relapse: refused: no',
    'recovering: fine',
    'up: fine',
    'told: up',
  ]);
  const [incident] = incidents();
  expect(incident).toMatchObject({
    target: 't',
    group: 'g',
    end: 'up',
    reason: 'refused',
    class: 'explicit',
    message: 'no',
  });
  expect(timeline.every((entry) => entry.incident === incident!.id)).toBe(true);
  expect(timeline[1]!.at).toBe(incident!.opened);
  expect(timeline[0]!.at).toBeLessThan(incident!.opened);
  expect(timeline.at(-1)!.at).toBe(incident!.closed);
});

test('a relapse opens the incident again', async () => {
  const { incidents, story, timeline } = await written('+---++---++', 60_000);
  expect(story().filter((entry) => !entry.startsWith('recovering'))).toEqual([
    'first failure: no',
    'down: refused: no',
    'told: down',
    'up: fine',
    'told: up',
    'first failure: no',
    'relapse: refused: no',
    'told: down',
    'up: fine',
    'told: up',
  ]);
  const [incident, ...others] = incidents();
  expect(others).toEqual([]);
  expect(incident).toMatchObject({ end: 'up', opened: timeline[1]!.at, closed: timeline.at(-1)!.at });
});

test('a suspicion that comes to nothing is no incident', async () => {
  const { incidents, story } = await written('+--+--+', 60_000);
  expect(incidents()).toEqual([]);
  expect(story()).toEqual([]);
});

test('what the agent could not see, and what hooks came to, is part of it', async () => {
  const { observer, incidents, story } = await written('---??-', 30_000);
  observer.onDoubt({ ...NO_DOUBT, doubtful: true, score: 4 }, 'anchors lost');
  const { id } = incidents()[0]!;
  observer.onHook({
    target: 't',
    hook: 'ops',
    kind: 'webhook',
    event: { incident: id, event: 'down' } as never,
    ok: false,
    tries: 3,
    ms: 1,
    detail: '503',
  });
  expect(story()).toEqual([
    'first failure: no',
    'down: refused: no',
    'told: down',
    'no verdict: cannot tell',
    'doubt: the agent doubts itself: anchors lost',
    'hook: ops on down, failed (tries: 3): 503',
  ]);
});

test('a veto that is said again is one entry, with how often it was', async () => {
  const { observer, incidents, story } = await written('---', 30_000);
  const { id: incident } = incidents()[0]!;
  for (const vetoes of [1, 2, 3]) {
    const action = { id: 'one', step: 'mend', outcome: 'vetoed', why: 'busy', at: 1, vetoes } as never;
    observer.onRecovery({ what: 'outcome', target: 't', incident, action });
  }
  expect(story().slice(3)).toEqual(['recovery: mend vetoed 3 times: busy']);
});

test('an incident that nobody goes on with is closed at the start', () => {
  const store = createMemoryStore(0);
  const row = {
    target: 't',
    group: null,
    opened: 1,
    closed: null,
    end: null,
    reason: null,
    class: null,
    message: '',
    correlated: null,
  };
  for (const id of ['t-1', 't-2']) store.put('incident', id, { ...row, id });
  store.put('target', 't', { incident: 't-2' } as never);
  createRecorder({ store, clock: createFakeClock() });
  expect([...store.kept('incident').values()].map(({ id, end }) => `${id} ${end}`)).toEqual([
    't-1 abandoned',
    't-2 null',
  ]);
});

test('one that is abandoned is closed as such', async () => {
  const { observer, incidents, story } = await written('---', 30_000);
  observer.onAbandoned('t', incidents()[0]!.id);
  expect(incidents()[0]).toMatchObject({ end: 'abandoned', closed: expect.any(Number) as number });
  expect(story().at(-1)).toContain('abandoned: ');
});
