import { describe, expect, test } from 'vitest';
import { groupsRoute } from '../../src/api/groups.ts';
import { pauseRoutes } from '../../src/api/pauses.ts';
import type { Answer, Question } from '../../src/api/routes.ts';
import { unknownGroup } from '../../src/core/group.ts';
import { createQuiet } from '../../src/runtime/quiet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { aTarget } from '../support/targets.ts';

const TARGETS = [
  aTarget({ name: 'web-1', group: 'web' }),
  aTarget({ name: 'web-2', group: 'web' }),
  aTarget({ name: 'db' }),
];

function setUp({ isBroken = false } = {}) {
  const clock = createFakeClock();
  const quiet = createQuiet({
    clock,
    observer: { onPause: () => {}, onMaintenance: () => {} },
    rows: new Map(),
    keep: () => {},
    healthOf: () => undefined,
  });
  quiet.apply(TARGETS, [
    {
      reason: 'patches',
      cron: '0 1 * * *',
      zone: 'Asia/Tokyo',
      forMs: 3_600_000,
      targets: ['db'],
      groups: [],
    },
  ]);
  const routes = pauseRoutes({
    ...quiet,
    now: clock.now,
    wallTime: clock.wallTime,
    targets: () => TARGETS,
    commit: () => Promise.resolve(!isBroken),
  });
  const ask = async (method: string, question: Partial<Question> = {}): Promise<Answer> =>
    await routes
      .find((route) => route.method === method)!
      .answer({ params: {}, query: {}, body: undefined, ...question });
  const pause = (body: unknown): Promise<Answer> => ask('POST', { body });
  return { clock, ask, pause };
}

const WISH = { for: '30m', reason: 'deploy', by: 'ann@host' };
const PAUSE = {
  reason: 'deploy',
  by: 'ann@host',
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T00:30:00.000Z',
  left_ms: 1_800_000,
  until_healthy: false,
  drain: false,
  released: [],
};

describe('POST', () => {
  test.each([
    [
      { target: 'db', until_healthy: true },
      { target: 'db', targets: ['db'], until_healthy: true },
    ],
    [
      { group: 'web', drain: true },
      { group: 'web', targets: ['web-1', 'web-2'], drain: true },
    ],
    [{ all: true }, { all: true, targets: ['web-1', 'web-2', 'db'] }],
  ])('%j', async (scope, expected) => {
    const { pause } = setUp();
    expect(await pause({ ...WISH, ...scope })).toEqual({
      status: 200,
      body: { ...PAUSE, ...expected, kept: true },
    });
  });

  test.each([
    [undefined, 400, { error: 'one of target, group and all has to be named' }],
    [{ ...WISH }, 400, { error: 'one of target, group and all has to be named' }],
    [{ ...WISH, target: 'db', all: true }, 400, { error: 'one of target, group and all has to be named' }],
    [{ ...WISH, target: ['db'] }, 400, { error: 'target: a name is needed' }],
    [{ ...WISH, all: 'yes' }, 400, { error: 'group: a name is needed' }],
    [{ ...WISH, target: 'web-3' }, 404, { error: 'there is no target "web-3"', near: 'web-1' }],
    [{ ...WISH, group: 'data' }, 404, { error: 'there is no group "data"' }],
    [{ ...WISH, target: 'db', for: 30 }, 400, { error: 'for: a duration such as 30m is needed' }],
    [{ ...WISH, target: 'db', for: '0s' }, 400, { error: 'for: a duration such as 30m is needed' }],
    [{ ...WISH, target: 'db', for: '60d' }, 400, { error: 'for: a duration such as 30m is needed' }],
    [{ ...WISH, target: 'db', reason: ' ' }, 400, { error: 'reason: it has to be said why' }],
    [{ ...WISH, target: 'db', by: 7 }, 400, { error: 'by: it has to be said who asks for it' }],
  ])('%j is refused', async (body, status, expected) => {
    const { ask, pause } = setUp();
    expect(await pause(body)).toEqual({ status, body: expected });
    expect((await ask('GET')).body).toMatchObject({ pauses: [] });
  });

  test('what is said is bounded, and holds nothing that a terminal would obey', async () => {
    const { pause } = setUp();
    const { body } = await pause({
      ...WISH,
      target: 'db',
      reason: `\u001b[31mred\n${'x'.repeat(900)}`,
    });
    expect(body).toMatchObject({ reason: expect.stringMatching(/^red x{196}$/) as string });
  });
});

test('what cannot be kept holds all the same, and that is said', async () => {
  const { ask, pause } = setUp({ isBroken: true });
  expect((await pause({ ...WISH, all: true })).body).toMatchObject({ all: true, kept: false });
  expect((await ask('GET')).body).toMatchObject({ pauses: [{ all: true }] });
});

test('GET tells of pauses and maintenance', async () => {
  const { clock, ask, pause } = setUp();
  await pause({ ...WISH, target: 'db' });
  await clock.advance(60_000);
  clock.step(3_600_000);
  expect(await ask('GET')).toEqual({
    status: 200,
    body: {
      at: '2026-01-01T01:01:00.000Z',
      pauses: [
        { ...PAUSE, target: 'db', targets: ['db'], left_ms: 1_740_000, until: '2026-01-01T01:30:00.000Z' },
      ],
      maintenance: [
        {
          reason: 'patches',
          open: false,
          from: '2026-01-01T16:00:00.000Z',
          until: '2026-01-01T17:00:00.000Z',
          zone: 'Asia/Tokyo',
          targets: ['db'],
        },
      ],
    },
  });
});

describe('DELETE', () => {
  test('ends a pause, or releases from a wider one', async () => {
    const { ask, pause } = setUp();
    await pause({ ...WISH, all: true });
    await pause({ ...WISH, target: 'web-1' });
    const { body } = await ask('DELETE', { query: { target: 'web-1', by: 'bob' } });
    expect(body).toMatchObject({
      ended: [{ target: 'web-1' }],
      left: [{ all: true, released: ['web-1'] }],
    });
    expect((await ask('DELETE', { query: { all: 'true' } })).body).toMatchObject({
      ended: [{ all: true }],
      left: [],
    });
    expect((await ask('DELETE', { query: { all: 'true' } })).body).toEqual({
      ended: [],
      left: [],
      kept: true,
    });
  });

  test.each([
    [{}, 400],
    [{ all: 'yes' }, 400],
    [{ target: ['a', 'b'] }, 400],
    [{ target: 'nobody' }, 404],
  ])('%j is refused', async (query, status) => {
    const { ask } = setUp();
    expect((await ask('DELETE', { query })).status).toBe(status);
  });
});

test('groups', async () => {
  const route = groupsRoute({
    wallTime: () => Date.UTC(2026, 0, 1),
    groups: () => [
      {
        group: { name: 'web', members: ['a', 'b', 'c'], atLeast: 2, notify: ['ops'] },
        health: { ...unknownGroup(0), state: 'down', incidentAt: 35 },
        rollup: { state: 'down', available: 1, unavailable: 2, unknown: 0 },
        unavailable: ['b', 'c'],
        hushed: 'paused: deploy',
      },
    ],
  });
  expect((await route.answer({ params: {}, query: {}, body: undefined })).body).toEqual({
    at: '2026-01-01T00:00:00.000Z',
    groups: [
      {
        group: 'web',
        state: 'down',
        paused: true,
        since: '1970-01-01T00:00:00.000Z',
        incident: 'group:web-z',
        at_least: 2,
        targets: 3,
        available: 1,
        unknown: 0,
        unavailable: ['b', 'c'],
      },
    ],
  });
});
