import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createAgent } from '../../src/agent.ts';
import { loadConfig } from '../../src/config/load.ts';
import { unknownHealth } from '../../src/core/health.ts';
import { incidentId } from '../../src/core/incident.ts';
import { fail, ok } from '../../src/core/outcome.ts';
import { nothingKnown, saved } from '../../src/core/saved.ts';
import { type Row, type Store, TABLES, type Table } from '../../src/core/store.ts';
import { createRecorder } from '../../src/store/recorder.ts';
import { openStore } from '../../src/store/store.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { fakeHook } from '../support/fake-hook.ts';
import { randomFrom } from '../support/random.ts';
import { recorder } from '../support/recorder.ts';
import { aTarget } from '../support/targets.ts';
import { yamlFile } from '../support/yaml-file.ts';

/** What is written long before is pruned. */
const WALL = Date.now();
const SINCE = WALL - 60_000;

/** A whole row of each table, of a target that is down. */
const WHOLE: Readonly<Record<Table, (name: string) => Row>> = {
  target: (name) => {
    const run = { since: 0, count: 3 };
    const health = {
      ...unknownHealth(SINCE),
      state: 'down' as const,
      incidentAt: SINCE,
      judgedAt: 1_000,
      evidence: { explicit: run, silent: run, path: run, reached: true },
      recent: [{ startedAt: 0, failed: 'explicit' as const, balance: 1 }],
      flaps: { penalty: 1_000, at: 1_000, changedAt: 1_000, flapping: false },
      told: { down: incidentId(name, SINCE), correlated: null, degraded: false, flapping: false },
    };
    return JSON.parse(JSON.stringify(saved({ ...nothingKnown(0), health }, aTarget({ name }), 2_000))) as Row;
  },
  incident: (name) => ({
    id: name,
    target: name,
    group: null,
    opened: SINCE,
    closed: null,
    end: null,
    reason: 'refused',
    class: 'explicit',
    message: 'no',
    correlated: null,
  }),
  timeline: (name) => ({ incident: name, target: name, at: SINCE, what: 'down', detail: '' }),
  action: (name) => ({
    id: name,
    target: name,
    group: name,
    incident: incidentId(name, SINCE),
    step: 'restart/1',
    kind: 'fake',
    try: 1,
    mode: 'enforce',
    asks: false,
    class: 'explicit',
    reason: 'refused',
    what: 'restart',
    at: SINCE,
    since: SINCE,
    counted: true,
    ended: null,
    result: null,
    detail: '',
    output: '',
    outcome: null,
    why: '',
    decided: null,
  }),
  climb: (name) => ({
    target: name,
    mode: 'enforce',
    used: { 'restart/1': 1 },
    gave_up: null,
    cool_until: WALL + 60_000,
    acked_at: null,
  }),
  recovery: () => ({ off: null }),
  delivery: (name) => ({
    hook: 'ops',
    event: 'down',
    target: name,
    incident: incidentId(name, SINCE),
    at: SINCE,
    state: 'waiting',
    toldAt: SINCE,
    number: 1,
    body: {
      id: `${name}/1`,
      event: 'down',
      kind: 'target',
      target: name,
      group: null,
      labels: {},
      purpose: 'live',
      probe: 'scripted',
      state: 'down',
      from: 'suspect',
      reason: 'refused',
      class: 'explicit',
      message: 'no',
      incident: incidentId(name, SINCE),
      correlated: null,
      relapses: 0,
      attempt: 3,
      at: new Date(SINCE).toISOString(),
      since: new Date(SINCE).toISOString(),
    },
  }),
  pause: (name) => ({
    scope: { target: name.slice('target '.length) },
    reason: 'deploy',
    by: 'ann@host',
    at: SINCE,
    until: WALL + 60_000,
    untilHealthy: true,
    drain: true,
    healing: { [name.slice('target '.length)]: 0 },
    released: [],
  }),
  group: () => ({
    state: 'down',
    since: SINCE,
    incidentAt: SINCE,
    told: { down: null, correlated: null, degraded: false, flapping: false },
  }),
  publication: (name) => ({ available: [name], published: [name], panic: false, drained: [] }),
  calibration: () => ({
    days: [
      {
        watchedMs: 3_600_000,
        looks: 720,
        blips: { silent: { count: 1, heardMs: 2_000, lastedMs: 100, roomMs: 4_000 } },
      },
    ],
    probe: '',
  }),
  attempt: (name) => ({
    target: name,
    first: SINCE,
    last: SINCE,
    count: 1,
    status: 'fail',
    reason: 'refused',
    state: 'down',
    first_ms: 5,
    slowest_ms: 5,
    session: SINCE,
  }),
  damaged: (name) => ({ table: 'target', name, why: 'no JSON', document: '' }),
};

const NAMES = Object.keys(TABLES) as Table[];

function keyOf(table: Table, name: string): string {
  return table === 'pause' ? `target ${name}` : table === 'recovery' ? 'switch' : name;
}

/** A file of ours with these rows in it, put there as they are. */
async function fileWith(rows: readonly (readonly [Table, string, string])[]): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'vitald-damaged-')), 'vitald.db');
  await (await open(path)).store.close();
  const db = new Libsql(path);
  const isCut = new Set(rows.filter(([, , row]) => !isJson(row)).map(([, , row]) => row));
  db.exec('BEGIN');
  for (const [table, key, row] of rows)
    db.prepare(`INSERT OR REPLACE INTO "${table}" (key, saved, row) VALUES (?, ?, ?)`).run(
      key,
      WALL,
      // SQLite takes no row that is no JSON: it comes to be one on the disk.
      isCut.has(row) ? CUT : row,
    );
  db.exec('COMMIT');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  const file = readFileSync(path);
  for (let at = file.indexOf(CUT); at >= 0; at = file.indexOf(CUT, at)) file.write('?', at);
  writeFileSync(path, file);
  return path;
}

const CUT = '{"cut":"here"}';

function isJson(row: string): boolean {
  try {
    JSON.parse(row);
    return true;
  } catch {
    return false;
  }
}

async function open(path: string) {
  const clock = createFakeClock({ wallTime: WALL });
  const said: string[] = [];
  const store = await openStore({
    path,
    clock,
    onTrouble: (trouble) => said.push(trouble),
    onBack: () => said.push('back'),
  });
  return { store, clock, said };
}

describe('a row', () => {
  test.each(NAMES)('of %s that is whole comes back as it is', async (table) => {
    const key = keyOf(table, 'a');
    const row = WHOLE[table](key);
    const path = await fileWith(table === 'timeline' ? [] : [[table, key, JSON.stringify(row)]]);
    const { store, said } = await open(path);
    if (table === 'timeline') store.put('timeline', null, row as never);
    expect(await store.list(table, { limit: 9 })).toEqual([row]);
    if (TABLES[table].held > 0) expect([...store.kept(table)]).toEqual([[key, row]]);
    expect(said).toEqual([]);
    await store.close();
  });

  test.each<[Table, string, string, string]>([
    ['group', 'web', '{"state":"up"}', 'since'],
    ['group', 'web', '{}', 'state'],
    ['group', 'web', '[]', 'expected object'],
    ['group', 'web', '5', 'expected object'],
    ['group', 'web', '?', 'expected object'],
    ['incident', 'a-1', '?', 'expected object'],
    ['target', 'a', JSON.stringify(damagedTarget()), 'health.recent.0'],
    ['pause', 'target a', JSON.stringify({ ...WHOLE.pause('target a'), until: 1e18 }), 'until'],
    ['pause', 'target b', JSON.stringify(WHOLE.pause('target a')), 'it is of "target a"'],
  ])('of %s that cannot be used is set aside and said once: %#', async (table, key, json, why) => {
    const path = await fileWith([[table, key, json]]);
    const { store, said } = await open(path);
    expect([...store.kept(table)]).toEqual([]);
    expect(said.length).toBe(1);
    expect(said[0]).toContain(`${path}: what its table ${table} keeps of "${key}" (${why}`);
    expect(store.status()).toMatchObject({ ok: true, trouble: said[0] });
    expect(await store.list('damaged', { limit: 9 })).toMatchObject([{ table, name: key }]);
    await store.close();
    const again = await open(path);
    expect(again.said).toEqual([]);
    expect(await again.store.list('damaged', { limit: 9 })).toMatchObject([{ table, name: key }]);
    await again.store.close();
  });
});

function damagedTarget(): Row {
  const row = WHOLE.target('a');
  return { ...row, health: { ...(row['health'] as Row), recent: [null] } };
}

const TARGETS = Array.from({ length: 60 }, (_, index) => `t${index}`);

/** An agent on a store, of which all targets answer until `failsFrom`, monotonic ms. */
function start(store: Store, clock: ReturnType<typeof createFakeClock>, failsFrom: number) {
  const { observer, of } = recorder();
  const probe = {
    kind: 'scripted',
    settings: z.unknown(),
    attempt: () => Promise.resolve(clock.now() < failsFrom ? ok('fine') : fail('refused', 'no')),
  };
  const { hook } = fakeHook(() => ({ ok: true, detail: 'done', retry: false }));
  const registries = { probes: { scripted: probe }, hooks: { fake: hook }, steps: {} };
  const file = yamlFile(`
anchors: []
state: off
confirm: 0s
defaults: { notify: ops }
hooks: { ops: { fake: {} } }
groups: { ${TARGETS.map((name) => `${name}: { notify: ops }`).join(', ')} }
targets: [${TARGETS.map((name) => `{ name: ${name}, group: ${name}, scripted: {} }`).join(', ')}]
`);
  const agent = createAgent({
    ...registries,
    isDryRun: false,
    clock,
    random: () => 0.5,
    observers: [observer, createRecorder({ store, clock })],
    store,
  });
  agent.apply(loadConfig([file], { ...registries, env: {} }));
  return { agent, troubles: () => of('trouble') };
}

/** Anything that JSON can be. */
function anything(random: () => number, depth = 0): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const leaf = (): unknown =>
    pick([null, true, false, 0, -1, 0.5, 1e18, -1e300, WALL, '', 'down', '__proto__', 'ä\n', [], {}]);
  if (depth > 2 || random() < 0.6) return leaf();
  const members = [anything(random, depth + 1), anything(random, depth + 1)];
  return random() < 0.5 ? members : { since: members[0], [pick(['state', 'days', 'told'])]: members[1] };
}

/** The same with one thing in it that is something else, missing, or more than it was. */
function mutated(value: unknown, random: () => number): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.2) return anything(random);
  const keys = Object.keys(value);
  const key = keys[Math.floor(random() * keys.length)];
  if (key === undefined) return anything(random);
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === Number(key) ? mutated(item, random) : item));
  const { [key]: was, ...rest } = value as Record<string, unknown>;
  return random() < 0.15 ? rest : { ...rest, [key]: mutated(was, random) };
}

test.each([1, 2, 3])(
  'whatever is in the tables, the agent starts and judges every target (seed %i)',
  async (seed) => {
    const random = randomFrom(seed);
    const rows = TARGETS.flatMap((name) =>
      NAMES.map((table): [Table, string, string] => {
        const key = keyOf(table, name);
        const json = JSON.stringify(mutated(WHOLE[table](key), random));
        // Of a table with an index over it, SQLite itself refuses what is no JSON.
        const isCut = random() < 0.05 && !('index' in TABLES[table]);
        return [table, key, isCut ? json.slice(0, -1) : json];
      }),
    );
    const { store, clock, said } = await open(await fileWith(rows));
    expect(said.length).toBeGreaterThan(5);
    const { agent, troubles } = start(store, clock, clock.now() + 60_000);
    const states = (): Set<string> => new Set(agent.snapshot().map(({ health: { state } }) => state));
    await clock.advance(59_000);
    expect([...states()]).toEqual(['up']);
    await clock.advance(60_000);
    expect([...states()]).toEqual(['down']);
    expect(agent.groups().every(({ health: { state } }) => state === 'down')).toBe(true);
    expect(troubles()).toEqual([]);
    expect(said.filter((one) => one.includes('cannot be used')).length).toBeLessThanOrEqual(NAMES.length);
    const stopped = agent.stop();
    await clock.advance(60_000);
    await stopped;
    await store.close();
  },
);
