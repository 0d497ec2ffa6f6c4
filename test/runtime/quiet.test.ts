import { describe, expect, test } from 'vitest';
import { type Health, type State, unknownHealth } from '../../src/core/health.ts';
import { fail, ok } from '../../src/core/outcome.ts';
import type { KeptPause, Maintenance, Scope } from '../../src/core/pause.ts';
import { type Quiet, createQuiet } from '../../src/runtime/quiet.ts';
import { type FakeClock, createFakeClock } from '../support/fake-clock.ts';
import { aTarget } from '../support/targets.ts';

const WEB_1 = aTarget({ name: 'web-1', group: 'web' });
const WEB_2 = aTarget({ name: 'web-2', group: 'web' });
const DB = aTarget({ name: 'db' });
const MINUTE = 60_000;

interface SetUp {
  readonly clock: FakeClock;
  readonly quiet: Quiet;
  readonly rows: Map<string, KeptPause>;
  readonly lines: string[];
  because(): Record<string, string | null>;
  pause(scope: Scope, rest?: { forMs?: number; untilHealthy?: boolean }): void;
  attempt(target: typeof WEB_1, good: boolean, state: State): void;
}

interface Given {
  readonly rows?: Map<string, KeptPause>;
  readonly clock?: FakeClock;
  readonly maintenance?: readonly Maintenance[];
  readonly states?: Readonly<Record<string, State>>;
}

function setUp({
  rows = new Map(),
  clock = createFakeClock(),
  maintenance = [],
  states = {},
}: Given = {}): SetUp {
  const lines: string[] = [];
  const health = (state: State): Health => ({ ...unknownHealth(clock.wallTime()), state });
  const quiet = createQuiet({
    clock,
    observer: {
      onPause: ({ scope }, over) => lines.push(`${JSON.stringify(scope)} ${over ?? 'begins'}`),
      onMaintenance: ({ reason }, begins) => lines.push(`${reason} ${begins ? 'begins' : 'ends'}`),
    },
    rows: new Map(rows),
    keep: (key, row) => void (row ? rows.set(key, row) : rows.delete(key)),
    healthOf: (name) => (states[name] ? health(states[name]) : undefined),
  });
  quiet.apply([WEB_1, WEB_2, DB], maintenance);
  return {
    clock,
    quiet,
    rows,
    lines,
    because: () => Object.fromEntries([WEB_1, WEB_2, DB].map((one) => [one.name, quiet.because(one)])),
    pause: (scope, { forMs = 30 * MINUTE, untilHealthy = false } = {}) =>
      void quiet.pause({ scope, reason: 'deploy', by: 'ann@host', forMs, untilHealthy }),
    attempt: (target, good, state) =>
      quiet.seen(target, { outcome: good ? ok('fine') : fail('refused', 'no') }, health(state)),
  };
}

const FREE = { 'web-1': null, 'web-2': null, db: null };
const PAUSED = 'paused by ann@host: deploy';

test('of thousands, each paused by itself, one costs no more than it would alone', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => aTarget({ name: `t${index}` }));
  const { quiet } = setUp();
  quiet.apply(many, []);
  for (const { name } of many)
    quiet.pause({
      scope: { target: name },
      reason: 'deploy',
      by: 'ann@host',
      forMs: MINUTE,
      untilHealthy: false,
    });
  // What it reads of targets is counted: a clock would measure the machine.
  let reads = 0;
  const counted = new Proxy(many[4_999]!, {
    get: (target, key) => (reads++, Reflect.get(target, key) as unknown),
  });
  expect(quiet.because(counted)).toBe(PAUSED);
  expect(reads).toBeLessThan(20);
});

test('windows that overlap or meet are one time of quiet', async () => {
  const start = Date.UTC(2026, 0, 1, 2, 59);
  const patches = { reason: 'patches', zone: 'UTC', targets: ['db'], groups: [] };
  const { clock, lines } = setUp({
    clock: createFakeClock({ wallTime: start }),
    maintenance: [
      { ...patches, cron: '* 3 * * *', forMs: 120 * MINUTE },
      { ...patches, reason: 'meets', cron: '0 3,4 * * *', forMs: 60 * MINUTE },
    ],
  });
  await clock.advance(180 * MINUTE - MINUTE);
  expect(lines).toEqual(['patches begins', 'meets begins', 'meets ends']);
  await clock.advance(2 * MINUTE + 59 * MINUTE);
  expect(lines).toEqual(['patches begins', 'meets begins', 'meets ends', 'patches ends']);
});

describe('a pause', () => {
  test('ends by itself, is kept, and is forgotten then', async () => {
    const { clock, quiet, rows, lines, because, pause } = setUp();
    pause({ target: 'web-1' });
    expect(because()).toEqual({ ...FREE, 'web-1': PAUSED });
    expect([...rows.keys()]).toEqual(['target web-1']);
    expect(rows.get('target web-1')).toMatchObject({ by: 'ann@host', until: clock.wallTime() + 30 * MINUTE });
    await clock.advance(30 * MINUTE - 1);
    expect(because()).toEqual({ ...FREE, 'web-1': PAUSED });
    expect(quiet.pauses().length).toBe(1);
    await clock.advance(1);
    expect(because()).toEqual(FREE);
    expect(quiet.pauses()).toEqual([]);
    expect(rows.size).toBe(0);
    expect(lines).toEqual(['{"target":"web-1"} begins', '{"target":"web-1"} time']);
    expect(clock.pending).toBe(0);
  });

  test('the wall clock changes nothing', async () => {
    const { clock, because, pause } = setUp();
    pause({ all: true });
    clock.step(3_600_000);
    await clock.advance(29 * MINUTE);
    expect(because()).toEqual({ 'web-1': PAUSED, 'web-2': PAUSED, db: PAUSED });
    clock.step(-7_200_000);
    await clock.advance(MINUTE);
    expect(because()).toEqual(FREE);
  });

  test('outlives a restart with what is left of it, also where the wall clock was set back', async () => {
    const first = setUp();
    first.pause({ group: 'web' });
    await first.clock.advance(10 * MINUTE);
    first.quiet.stop();
    const later = createFakeClock({ now: 0, wallTime: first.clock.wallTime() + 5 * MINUTE });
    const second = setUp({ rows: first.rows, clock: later });
    expect(second.because()).toEqual({ 'web-1': PAUSED, 'web-2': PAUSED, db: null });
    await later.advance(15 * MINUTE - 1);
    expect(second.because()['web-1']).toBe(PAUSED);
    await later.advance(1);
    expect(second.because()).toEqual(FREE);
    expect(second.rows.size).toBe(0);

    const { rows, clock, pause } = setUp();
    pause({ group: 'web' });
    const before = createFakeClock({ wallTime: clock.wallTime() - 24 * 3_600_000 });
    const third = setUp({ rows, clock: before });
    await before.advance(30 * MINUTE);
    expect(third.because()).toEqual(FREE);
  });

  test('of which nothing is left after a restart is over at once', () => {
    const { rows, clock, pause } = setUp();
    pause({ target: 'db' });
    const { because, lines } = setUp({
      rows,
      clock: createFakeClock({ wallTime: clock.wallTime() + 24 * 3_600_000 }),
    });
    expect(because()).toEqual(FREE);
    expect(lines).toEqual(['{"target":"db"} time']);
  });

  test('of the same scope gives way to a new one, which may be shorter', async () => {
    const { clock, quiet, because, pause } = setUp();
    pause({ target: 'db' });
    pause({ target: 'db' }, { forMs: MINUTE });
    expect(quiet.pauses().length).toBe(1);
    await clock.advance(MINUTE);
    expect(because()).toEqual(FREE);
  });
});

describe('resume', () => {
  test('ends the pause of what is named', () => {
    const { quiet, lines, because, pause } = setUp();
    pause({ target: 'web-1' });
    pause({ target: 'db' });
    const { ended, left } = quiet.resume({ target: 'web-1' }, 'bob@host');
    expect([ended.length, left.length]).toEqual([1, 0]);
    expect(because()).toEqual({ ...FREE, db: PAUSED });
    expect(lines.at(-1)).toBe('{"target":"web-1"} resumed by bob@host');
  });

  test('releases one target of a wider pause, which goes on for the others, and ends with the last', () => {
    const { quiet, rows, because, pause } = setUp();
    pause({ group: 'web' });
    expect(quiet.resume({ target: 'web-1' }, 'bob').left.length).toBe(1);
    expect(because()).toEqual({ ...FREE, 'web-2': PAUSED });
    expect(rows.get('group web')?.released).toEqual(['target web-1']);
    expect(quiet.resume({ target: 'web-1' }, 'bob')).toEqual({ ended: [], left: [] });
    expect(quiet.resume({ target: 'web-2' }, 'bob').ended.length).toBe(1);
    expect(quiet.pauses()).toEqual([]);
  });

  test('of a group ends what its targets are paused by, too, and releases it from a pause of all', () => {
    const { quiet, because, pause } = setUp();
    pause({ all: true });
    pause({ target: 'web-1' });
    const { ended, left } = quiet.resume({ group: 'web' }, 'bob');
    expect([ended.length, left.length]).toEqual([1, 1]);
    expect(because()).toEqual({ ...FREE, db: PAUSED });
    expect(quiet.because({ kind: 'group', name: 'web' })).toBe(null);
  });

  test('of all ends everything, also a pause of a target that is gone', () => {
    const { quiet, because, pause } = setUp();
    pause({ group: 'web' });
    pause({ target: 'db' });
    quiet.apply([WEB_1, WEB_2], []);
    expect(quiet.resume({ all: true }, 'bob').ended.length).toBe(2);
    expect(because()).toEqual(FREE);
  });

  test('of what is not paused ends nothing', () => {
    const { quiet, pause } = setUp();
    pause({ target: 'db' });
    expect(quiet.resume({ target: 'web-1' }, 'bob')).toEqual({ ended: [], left: [] });
  });
});

describe('until it is healthy', () => {
  test('each target is released when it has failed and is verified up again, and the pause ends with the last', () => {
    const { quiet, lines, because, pause, attempt } = setUp();
    pause({ group: 'web' }, { untilHealthy: true });
    attempt(WEB_1, true, 'up');
    attempt(WEB_1, false, 'suspect');
    attempt(WEB_1, true, 'up');
    expect(because()['web-1']).toBe(PAUSED);
    attempt(WEB_1, true, 'up');
    expect(because()).toEqual({ ...FREE, 'web-2': PAUSED });
    attempt(WEB_2, false, 'down');
    attempt(WEB_2, true, 'recovering');
    attempt(WEB_2, true, 'up');
    expect(quiet.pauses()).toEqual([]);
    expect(lines.at(-1)).toBe('{"group":"web"} healthy');
  });

  test('one that is down already has only to come up', () => {
    const { because, pause, attempt } = setUp({ states: { db: 'down' } });
    pause({ target: 'db' }, { untilHealthy: true });
    attempt(DB, true, 'recovering');
    attempt(DB, true, 'up');
    expect(because()).toEqual(FREE);
  });

  test('of a thousand that are released one by one the last one ends it', () => {
    const { quiet, because } = setUp();
    const many = Array.from({ length: 1_000 }, (_, index) => aTarget({ name: `t${index}` }));
    quiet.apply(many, []);
    quiet.pause({ scope: { all: true }, reason: 'x', by: 'ann', forMs: MINUTE, untilHealthy: true });
    const health = { ...unknownHealth(0), state: 'up' as const };
    for (const target of many) {
      quiet.seen(target, { outcome: fail('refused', 'no') }, { ...health, state: 'down' });
      quiet.seen(target, { outcome: ok('fine') }, health);
      quiet.seen(target, { outcome: ok('fine') }, health);
    }
    expect(quiet.pauses()).toEqual([]);
    expect(because()).toEqual(FREE);
  });

  test('ends by the time at the latest', async () => {
    const { clock, because, pause } = setUp();
    pause({ target: 'db' }, { untilHealthy: true });
    await clock.advance(30 * MINUTE);
    expect(because()).toEqual(FREE);
  });
});

describe('maintenance', () => {
  // The fake clock begins on Thursday, 2026-01-01 at midnight.
  const maintenance: Maintenance[] = [
    {
      reason: 'patches',
      cron: '0 1 * * thu',
      zone: 'UTC',
      forMs: 2 * 3_600_000,
      targets: ['db'],
      groups: ['web'],
    },
  ];
  const HELD = 'maintenance: patches';

  test('begins and ends by the calendar, and is told', async () => {
    const { clock, quiet, lines, because } = setUp({ maintenance });
    expect(because()).toEqual(FREE);
    await clock.advance(60 * MINUTE);
    expect(because()).toEqual({ ...FREE, db: HELD });
    expect(quiet.because({ kind: 'group', name: 'web' })).toBe(HELD);
    expect(lines).toEqual(['patches begins']);
    await clock.advance(120 * MINUTE);
    expect(because()).toEqual(FREE);
    expect(lines).toEqual(['patches begins', 'patches ends']);
  });

  test('a reload in a window neither ends it nor begins it anew', async () => {
    const { clock, quiet, lines, because } = setUp({ maintenance });
    await clock.advance(90 * MINUTE);
    quiet.apply([WEB_1, DB], maintenance);
    expect(because()['db']).toBe(HELD);
    quiet.apply([WEB_1, DB], [{ ...maintenance[0]!, targets: ['web-1'] }]);
    expect(because()).toEqual({ ...FREE, 'web-1': HELD });
    expect(lines).toEqual(['patches begins']);
    quiet.apply([WEB_1, DB], []);
    expect(because()).toEqual(FREE);
    expect(lines).toEqual(['patches begins', 'patches ends']);
    expect(clock.pending).toBe(0);
  });

  test('a wall clock that is set into a window, or out of one, is noticed within a minute', async () => {
    const { clock, because } = setUp({ maintenance });
    clock.step(90 * MINUTE);
    await clock.advance(MINUTE);
    expect(because()['db']).toBe(HELD);
    clock.step(-90 * MINUTE);
    await clock.advance(MINUTE);
    expect(because()).toEqual(FREE);
  });
});
