import { describe, expect, test } from 'vitest';
import type { State } from '../../src/core/health.ts';
import type { Status } from '../../src/core/outcome.ts';
import {
  type OpenWindow,
  type Pause,
  type Scope,
  type Subject,
  hushedBecause,
  isDrained,
  isOver,
  withAttempt,
  withRelease,
} from '../../src/core/pause.ts';

const WALL = Date.UTC(2026, 0, 1);

function aPause(scope: Scope, rest: Partial<Pause> = {}): Pause {
  return {
    scope,
    reason: 'deploy',
    by: 'ann@host',
    at: WALL,
    until: WALL + 1_000,
    endsAt: 1_000,
    untilHealthy: false,
    healing: {},
    released: new Set(),
    ...rest,
  };
}

const WEB_1: Subject = { name: 'web-1', group: 'web' };
const DB: Subject = { name: 'db' };
const WEB: Subject = { kind: 'group', name: 'web' };
const START = { now: 0, wall: WALL };

test('a pause drains whom it holds back, where it is to', () => {
  const pause = aPause({ group: 'web' }, { drain: true });
  const drains = (subject: Subject, one = pause, now = 0): boolean => isDrained(subject, [one], now);
  expect([
    drains(WEB_1),
    drains(DB),
    drains(WEB_1, pause, 1_000),
    drains(WEB_1, aPause({ group: 'web' })),
  ]).toEqual([true, false, false, false]);
  expect(drains(WEB_1, withRelease(pause, [{ target: 'web-1' }]))).toBe(false);
});

describe('a pause', () => {
  test.each<[string, Scope, Subject, boolean]>([
    ['of a target holds it back', { target: 'web-1' }, WEB_1, true],
    ['of a target holds back no other', { target: 'web-1' }, DB, false],
    ['of a target does not hold back its group', { target: 'web-1' }, WEB, false],
    ['of a target of the same name as a group', { target: 'web' }, WEB, false],
    ['of a group holds back its targets', { group: 'web' }, WEB_1, true],
    ['of a group holds back the group itself', { group: 'web' }, WEB, true],
    ['of a group holds back nobody outside', { group: 'web' }, DB, false],
    ['of a group of the same name as a target', { group: 'db' }, DB, false],
    ['of all holds back targets', { all: true }, DB, true],
    ['of all holds back groups', { all: true }, WEB, true],
  ])('%s', (_what, scope, subject, held) => {
    expect(hushedBecause(subject, [aPause(scope)], [], START)).toBe(
      held ? 'paused by ann@host: deploy' : null,
    );
  });

  test('ends by itself, whatever the wall clock is set to', () => {
    const pauses = [aPause({ all: true })];
    expect(hushedBecause(DB, pauses, [], { now: 999, wall: WALL + 3_600_000 })).toBe(
      'paused by ann@host: deploy',
    );
    expect(hushedBecause(DB, pauses, [], { now: 1_000, wall: WALL - 3_600_000 })).toBe(null);
  });

  test('lets go what is released, and is over when nothing is left', () => {
    const pause = withRelease(aPause({ group: 'web' }), [{ target: 'web-1' }]);
    expect(hushedBecause(WEB_1, [pause], [], START)).toBe(null);
    expect(hushedBecause({ ...WEB_1, name: 'web-2' }, [pause], [], START)).toBe('paused by ann@host: deploy');
    expect(hushedBecause(WEB, [pause], [], START)).toBe('paused by ann@host: deploy');
    expect(isOver(pause, ['web-1', 'web-2'])).toBe(false);
    expect(isOver(pause, ['web-1'])).toBe(true);
    expect(isOver(pause, [])).toBe(false);
  });
});

describe('a maintenance window', () => {
  const window: OpenWindow = {
    reason: 'patches',
    targets: new Set(['web-1']),
    groups: new Set(['web']),
    from: WALL,
    until: WALL + 1_000,
  };
  test.each<[string, Subject, number, boolean]>([
    ['holds back its targets', WEB_1, 0, true],
    ['holds back its groups', WEB, 0, true],
    ['holds back no other', DB, 0, false],
    ['has not begun', WEB_1, -1, false],
    ['lasts to its end', WEB_1, 999, true],
    ['is over', WEB_1, 1_000, false],
  ])('%s', (_what, subject, ms, held) => {
    const moment = { now: 5_000_000, wall: WALL + ms };
    expect(hushedBecause(subject, [], [window], moment)).toBe(held ? 'maintenance: patches' : null);
  });
});

describe('until it is healthy', () => {
  /** Attempts of a target with `success_threshold: 2`, each with the state that it led to. */
  const healed = (pause: Pause, ...attempts: readonly (readonly [Status, State])[]): boolean =>
    isOver(
      attempts.reduce(
        (pause, [status, state]) => withAttempt(pause, 'web-1', { status, state, threshold: 2 }),
        pause,
      ),
      ['web-1'],
    );

  test.each<[string, readonly (readonly [Status, State])[], boolean]>([
    [
      'one that never failed is not touched yet',
      Array.from({ length: 9 }, () => ['ok', 'up'] as const),
      false,
    ],
    [
      'down, and up again',
      [
        ['fail', 'down'],
        ['ok', 'recovering'],
        ['ok', 'up'],
      ],
      true,
    ],
    [
      'a restart too quick for a verdict',
      [
        ['fail', 'suspect'],
        ['ok', 'up'],
        ['warn', 'up'],
      ],
      true,
    ],
    [
      'one good attempt is not enough',
      [
        ['fail', 'suspect'],
        ['ok', 'up'],
      ],
      false,
    ],
    [
      'a relapse begins anew',
      [
        ['fail', 'down'],
        ['ok', 'recovering'],
        ['fail', 'down'],
        ['ok', 'recovering'],
      ],
      false,
    ],
    [
      'void says nothing',
      [
        ['fail', 'down'],
        ['ok', 'recovering'],
        ['void', 'recovering'],
        ['ok', 'up'],
      ],
      true,
    ],
    [
      'what an agent in doubt sees does not count',
      [
        ['fail', 'up'],
        ['ok', 'up'],
        ['ok', 'up'],
      ],
      false,
    ],
  ])('%s', (_what, attempts, expected) => {
    expect(healed(aPause({ target: 'web-1' }, { untilHealthy: true }), ...attempts)).toBe(expected);
  });

  test('one that is down when it begins has failed already', () => {
    const pause = aPause({ target: 'web-1' }, { untilHealthy: true, healing: { 'web-1': 0 } });
    expect(healed(pause, ['ok', 'recovering'], ['ok', 'up'])).toBe(true);
  });

  test('without it only time ends the pause, and an attempt that says nothing gives the same object', () => {
    const plain = aPause({ target: 'web-1' });
    expect(withAttempt(plain, 'web-1', { status: 'fail', state: 'down', threshold: 2 })).toBe(plain);
    const pause = aPause({ target: 'web-1' }, { untilHealthy: true });
    expect(withAttempt(pause, 'web-1', { status: 'ok', state: 'up', threshold: 2 })).toBe(pause);
  });
});
