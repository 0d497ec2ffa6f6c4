import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, fine } from '../../src/api/routes.ts';
import { membersRoute } from '../../src/api/members.ts';
import { BRAKES } from '../../src/core/brakes.ts';
import type { Group } from '../../src/core/group.ts';
import { type State, unknownHealth } from '../../src/core/health.ts';
import { type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { PublishSettings } from '../../src/core/publication.ts';
import type { KeptStanding } from '../../src/core/publish.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory, until } from '../support/real-server.ts';
import { aTarget } from '../support/targets.ts';

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

interface World {
  readonly rows?: Map<string, KeptStanding>;
  readonly group?: Partial<Group>;
  readonly settings?: PublishSettings;
}

/** A group `web` of the targets a, b and c, of which the test says what is believed. */
function setUp({
  rows = new Map<string, KeptStanding>(),
  group: more = {},
  settings = { files: [], agentChecks: [] },
}: World = {}) {
  const clock = createFakeClock();
  const targets = NAMES.map((name, index) =>
    aTarget({
      name,
      group: 'web',
      serves: { address: { host: `10.0.0.${index + 1}`, port: 80 }, weight: 1 },
    }),
  );
  const paused = new Set<string>();
  const drained = new Set<string>();
  const acted = new Set<string>();
  const withdrawn = new Set<string>();
  const told: string[] = [];
  let doubtful = false;
  const publisher = createPublisher({
    clock,
    rows: new Map(rows),
    keep: (name, row) => void (row ? rows.set(name, row) : rows.delete(name)),
    isPaused: ({ name }) => paused.has(name),
    isDrained: ({ name }) => drained.has(name),
    isWithdrawn: (name) => withdrawn.has(name),
    isActedOn: (name) => acted.has(name),
    isDoubtful: () => doubtful,
    onReport: (report) =>
      told.push(
        report.what === 'set'
          ? `${report.published} of ${report.of}${report.panic ? ' in a panic' : ''}: +${report.added.join('')} -${report.removed.join('')}`
          : report.what,
      ),
  });
  const group: Group = { name: 'web', members: NAMES, atLeast: 3, notify: [], ...more };
  publisher.apply({ groups: [group], targets, publish: settings, brakes: BRAKES });

  function see(
    name: Name,
    state: State,
    outcome: Outcome = state === 'up' ? ok('fine') : fail('refused', 'no'),
  ) {
    const attempt = { outcome, number: 1, at: 0, startedAt: 0, latencyMs: 1, phases: {} };
    publisher.seen(
      targets.find((one) => one.name === name)!,
      attempt,
      { ...unknownHealth(0), state },
    );
  }
  const all = (state: State): void => NAMES.forEach((name) => see(name, state));
  const shown = (): string | undefined =>
    publisher
      .publication('web')
      ?.nodes.filter(({ published }) => published)
      .map(({ name }) => name)
      .join('');
  return {
    clock,
    publisher,
    targets,
    group,
    rows,
    paused,
    drained,
    acted,
    withdrawn,
    told,
    see,
    all,
    shown,
    doubt: (is: boolean) => (doubtful = is),
  };
}

test('one that its ladder has taken out says so', async () => {
  const { publisher, all, clock, withdrawn } = setUp();
  all('up');
  withdrawn.add('a');
  await clock.advance(1_000);
  expect(publisher.member('a')).toMatchObject({ published: false, why: 'withdrawn by its recovery' });
});

describe('the set of a group', () => {
  test('is there once all have been heard of, and follows the verdicts at once', () => {
    const { publisher, see, shown, told } = setUp();
    see('a', 'up');
    see('b', 'up');
    expect([publisher.publication('web'), publisher.publication('db')]).toEqual([null, undefined]);
    see('c', 'up');
    expect(shown()).toBe('abc');
    see('b', 'suspect');
    see('b', 'down');
    see('b', 'recovering');
    expect(shown()).toBe('ac');
    see('b', 'up');
    expect([shown(), told]).toEqual(['abc', ['3 of 3: +abc -', '2 of 3: + -b', '3 of 3: +b -']]);
  });

  test('is all of them in a panic, and says so', () => {
    const { publisher, all, see, shown, told } = setUp();
    all('up');
    see('b', 'down');
    see('c', 'down');
    expect([shown(), publisher.publication('web')?.panic]).toEqual(['abc', true]);
    expect(told.at(-1)).toBe('3 of 3 in a panic: +b -');
  });

  test('follows pauses, drains, doubt and recoveries within a second', async () => {
    const { publisher, clock, all, see, shown, paused, drained, acted, doubt } = setUp();
    all('up');
    drained.add('a');
    await clock.advance(1_000);
    expect(shown()).toBe('bc');
    drained.delete('a');
    acted.add('a');
    await clock.advance(1_000);
    expect(shown()).toBe('bc');
    acted.delete('a');
    await clock.advance(1_000);
    expect(shown()).toBe('abc');
    paused.add('b');
    see('b', 'down');
    expect(shown()).toBe('abc');
    paused.delete('b');
    await clock.advance(1_000);
    expect(shown()).toBe('ac');
    doubt(true);
    see('b', 'up');
    await clock.advance(1_000);
    expect([shown(), publisher.publication('web')?.stale]).toEqual(['ac', true]);
    doubt(false);
    await clock.advance(1_000);
    expect([shown(), publisher.publication('web')?.stale]).toEqual(['abc', false]);
  });

  test('takes back who was out only when it is warm', async () => {
    const { clock, all, see, shown } = setUp({ group: { warmMs: 10_000 } });
    all('up');
    see('b', 'down');
    see('b', 'up');
    await clock.advance(9_000);
    expect(shown()).toBe('ac');
    await clock.advance(1_000);
    expect(shown()).toBe('abc');
  });

  test('is the same after a restart, and after a reload', async () => {
    const first = setUp();
    first.all('up');
    first.see('c', 'down');
    first.drained.add('b');
    await first.clock.advance(1_000);
    await first.publisher.stop();
    const second = setUp({ rows: first.rows });
    expect(second.shown()).toBe('a');
    second.all('up');
    expect(second.publisher.member('b')).toMatchObject({ published: true, drained: false, wasDrained: true });
    expect(second.publisher.member('a')?.wasDrained).toBe(false);
    const { group, targets } = second;
    const rest = { publish: { files: [], agentChecks: [] }, brakes: BRAKES };
    second.publisher.apply({ groups: [{ ...group, members: ['a', 'c'] }], targets, ...rest });
    expect(second.shown()).toBe('ac');
    second.publisher.apply({ groups: [], targets: [], ...rest });
    expect([second.publisher.publication('web'), second.rows.size]).toEqual([undefined, 0]);
  });
});

test('a member that is out says why, and how long its traffic is let go', async () => {
  const { publisher, clock, all, see } = setUp({ group: { warmMs: 60_000, drainMs: 10_000 } });
  const drains = (name: string): number | null => publisher.drainsUntil({ name });
  expect(publisher.member('a')).toBeUndefined();
  all('up');
  expect([drains('a'), publisher.member('x'), drains('x')]).toEqual([null, undefined, null]);
  await clock.advance(5_000);
  const at = clock.now();
  see('a', 'down');
  expect(publisher.member('a')).toMatchObject({ published: false, why: 'down: no' });
  await clock.advance(5_000);
  see('a', 'up', ok('fine', { idle: 40 }));
  expect(publisher.member('a')).toMatchObject({ published: false, why: 'warming up', facts: { idle: 40 } });
  expect(drains('a')).toBe(at + 10_000);
});

test('files of the group are written, anew with another address, and given up with their entry', async () => {
  const directory = temporaryDirectory();
  const file = {
    group: 'web',
    layout: { format: 'nginx' },
    mode: null,
    leaseMs: 60_000,
    reload: null,
  } as const;
  const [one, other] = ['one', 'other'].map((name) => ({ ...file, path: join(directory, name) }));
  const { publisher, group, targets, clock, all, see } = setUp({
    settings: { files: [one!], agentChecks: [] },
  });
  const has = (path: string, text: string): Promise<void> =>
    until(`${text} in ${path}`, async () => {
      await clock.advance(0);
      try {
        return readFileSync(path, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
  all('up');
  await has(one!.path, '10.0.0.3:80 weight=1;');
  see('c', 'down');
  await has(one!.path, '10.0.0.3:80 weight=1 down;');
  const moved = targets.map((target) => ({
    ...target,
    serves: { address: { host: target.name, port: 81 }, weight: 2 },
  }));
  publisher.apply({
    groups: [group],
    targets: moved,
    publish: { files: [one!], agentChecks: [] },
    brakes: BRAKES,
  });
  await has(one!.path, 'c:81 weight=2 down;');
  publisher.apply({
    groups: [group],
    targets: moved,
    publish: { files: [other!], agentChecks: [] },
    brakes: BRAKES,
  });
  await has(other!.path, 'c:81 weight=2 down;');
  see('c', 'up');
  await has(other!.path, 'c:81 weight=2;');
  expect(readFileSync(one!.path, 'utf8')).toContain('c:81 weight=2 down;');
  await publisher.stop();
  expect(clock.pending).toBe(0);
});

describe('GET /api/v1/groups/NAME/members', () => {
  function ask() {
    const world = setUp();
    const route = membersRoute({
      wallTime: world.clock.wallTime,
      publication: world.publisher.publication,
      groupNames: () => ['web'],
    });
    const get = (group: string, query = {}, ifNoneMatch?: string): Answer =>
      route.answer({ params: { group }, query, body: undefined, ifNoneMatch }) as Answer;
    return { ...world, get };
  }

  test('tells of all, or of those that are published', () => {
    const { get, all, see } = ask();
    all('up');
    see('b', 'down');
    const member = (name: string, n: number, state: string) => ({
      name,
      host: `10.0.0.${n}`,
      port: 80,
      weight: 1,
      state,
      published: state === 'up',
    });
    const [a, b, c] = [member('a', 1, 'up'), member('b', 2, 'down'), member('c', 3, 'up')];
    const head = { group: 'web', valid_until: '2026-01-01T00:01:00.000Z', panic: false, stale: false };
    expect(get('web')).toMatchObject(fine({ ...head, members: [a, b, c] }));
    expect(get('web', { healthy: '' })).toMatchObject(fine({ ...head, members: [a, c] }));
    expect(get('web', { healthy: 'false' })).toMatchObject(fine({ ...head, members: [a, b, c] }));
  });

  test('the same set is not sent again, and holds for longer', async () => {
    const { get, all, see, clock } = ask();
    all('up');
    const { etag, expires } = get('web').headers!;
    expect(expires).toBe('Thu, 01 Jan 2026 00:01:00 GMT');
    await clock.advance(10_000);
    expect(get('web', {}, `"x", ${etag}`)).toEqual({
      status: 304,
      body: undefined,
      headers: { etag, expires: 'Thu, 01 Jan 2026 00:01:10 GMT' },
    });
    expect(get('web', { healthy: '' }, '"x"').status).toBe(200);
    see('b', 'down');
    expect(get('web', {}, etag).status).toBe(200);
  });

  test('there is nothing to tell at the start, and of no such group', () => {
    const { get } = ask();
    expect(get('web')).toEqual({ status: 503, body: { error: 'not every member has been heard of yet' } });
    expect(get('wed')).toEqual({ status: 404, body: { error: 'there is no group "wed"', near: 'web' } });
  });
});

test('in a large group what changes at once is looked at together, and nothing is done before that', async () => {
  const clock = createFakeClock();
  const names = Array.from({ length: 201 }, (_, index) => `n${index}`);
  const targets = names.map((name) => aTarget({ name, group: 'web' }));
  const sets: number[] = [];
  const publisher = createPublisher({
    clock,
    rows: new Map(),
    keep: () => {},
    isPaused: () => false,
    isDrained: () => false,
    isWithdrawn: () => false,
    isActedOn: () => false,
    isDoubtful: () => false,
    onReport: (report) => void (report.what === 'set' && sets.push(report.published)),
  });
  const group: Group = { name: 'web', members: names, atLeast: 1, notify: [], drainMs: 10_000 };
  publisher.apply({ groups: [group], targets, publish: { files: [], agentChecks: [] }, brakes: BRAKES });
  const attempt = { outcome: ok('fine'), number: 1, at: 0, startedAt: 0, latencyMs: 1, phases: {} };
  for (const target of targets) publisher.seen(target, attempt, { ...unknownHealth(0), state: 'up' });
  await clock.advance(50);
  for (const target of targets.slice(0, 20))
    publisher.seen(target, attempt, { ...unknownHealth(0), state: 'down' });
  expect([sets, publisher.drainsUntil(targets[0]!)]).toEqual([[201], clock.now() + 10_000]);
  await clock.advance(50);
  expect([sets, publisher.drainsUntil(targets[0]!)]).toEqual([[201, 181], clock.now() + 10_000]);
  await publisher.stop();
});
