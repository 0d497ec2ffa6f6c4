import { describe, expect, test } from 'vitest';
import type { HookEvent } from '../../src/core/hook.ts';
import { clipped, wording } from '../../src/hooks/wording.ts';
import { DOWN, UP, manyDown } from '../support/hook-events.ts';

const LATER = '2026-01-01T03:20:15.400Z';

test.each<[Partial<HookEvent>, string, string, string[]]>([
  [
    {},
    'bad',
    'orders is down',
    [
      `${DOWN.message} (status, explicit)`,
      'since 00:00:00 UTC, 1 Jan 2026',
      'group shop · http · incident orders-mb0c7s00',
    ],
  ],
  [
    UP,
    'good',
    'orders is up again after 2m3s',
    [
      'status 200',
      'from 00:00:00 UTC, 1 Jan 2026 to 00:02:03 UTC, 1 Jan 2026',
      'group shop · http · incident orders-mb0c7s00',
    ],
  ],
  [
    { event: 'still_down', at: LATER, group: null },
    'bad',
    'orders is still down, for 3h20m',
    [
      `${DOWN.message} (status, explicit)`,
      'since 00:00:00 UTC, 1 Jan 2026',
      'http · incident orders-mb0c7s00',
    ],
  ],
  [
    // It was held back at first.
    { at: LATER, group: null },
    'bad',
    'orders is down, for 3h20m',
    [
      `${DOWN.message} (status, explicit)`,
      'since 00:00:00 UTC, 1 Jan 2026',
      'http · incident orders-mb0c7s00',
    ],
  ],
  [
    { at: LATER, group: null, relapses: 1 },
    'bad',
    'orders is down again',
    [
      `${DOWN.message} (status, explicit)`,
      'in an incident since 00:00:00 UTC, 1 Jan 2026',
      'http · incident orders-mb0c7s00',
    ],
  ],
  [
    { event: 'degraded', reason: null, class: null, incident: null, message: 'slow: 900ms' },
    'warning',
    'orders is degraded',
    ['slow: 900ms', 'since 00:00:00 UTC, 1 Jan 2026', 'group shop · http'],
  ],
])('%j is told as %s: %s', (event, tone, title, lines) => {
  expect(wording({ ...DOWN, ...event }, 'UTC')).toEqual({ tone, title, lines });
});

test('the time is told in the zone', () => {
  expect(wording(DOWN, 'America/New_York').lines[1]).toBe('since 19:00:00 GMT-5, 31 Dec 2025');
});

describe('many at once', () => {
  test('few are told one by one', () => {
    const { tone, title, lines } = wording({ ...UP, also: [{ ...DOWN, target: 'cart' }] }, 'UTC');
    expect({ tone, title }).toEqual({ tone: 'bad', title: '1 target is down, 1 is up again' });
    expect(lines).toEqual([
      `cart is down: ${DOWN.message} (status, explicit)`,
      'orders is up again after 2m3s: status 200',
      'since 00:00:00 UTC, 1 Jan 2026',
    ]);
  });

  test('many are named by group, each of them, in their order', () => {
    const { also = [], ...first } = manyDown(300);
    const [last, ...others] = [first, ...also].toReversed();
    const { title, lines } = wording({ ...last!, also: others }, 'UTC');
    expect(title).toBe('300 targets are down');
    expect(lines.length).toBe(31);
    expect(lines[3]).toBe(
      `rack-3 (10): ${Array.from({ length: 10 }, (_, index) => `node-${30 + index}`).join(', ')}`,
    );
  });

  test('more than a person reads are counted', () => {
    const [first, ...also] = Array.from({ length: 250 }, (_, index) => ({
      ...DOWN,
      target: `t${index}`,
      group: null,
    }));
    const [line] = wording({ ...first!, also }, 'UTC').lines;
    expect(line).toMatch(/^t0, t1, .*, t199 and 50 more$/);
  });

  test('what differs is told apart', () => {
    const also = [...(manyDown(10).also ?? []), ...Array.from({ length: 3 }, () => UP)];
    const { title, lines } = wording({ ...manyDown(1), also }, 'UTC');
    expect(title).toBe('10 targets are down, 3 are up again');
    expect(lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^down, rack-0 \(10\): node-0, /),
      'up again, shop (3): orders, orders, orders',
    ]);
  });
});

describe('in one message', () => {
  test('a beginning whose end is there, too, is not told; one that came after it is', () => {
    const again = { ...DOWN, id: 'again', incident: 'orders-2' };
    expect(wording({ ...DOWN, also: [UP] }).title).toBe('orders is up again after 2m3s');
    expect(wording({ ...DOWN, also: [UP, again] }).title).toBe('1 target is down, 1 is up again');
    expect(wording({ ...DOWN, also: [{ ...UP, target: 'cart' }] }).title).toBe(
      '1 target is down, 1 is up again',
    );
  });

  test('a group is called so', () => {
    const group: HookEvent = { ...DOWN, kind: 'group', target: 'shop', probe: 'group', incident: 'shop-1' };
    expect(wording(group, 'UTC')).toMatchObject({
      title: 'group shop is down',
      lines: [expect.anything(), expect.anything(), 'group shop · incident shop-1'],
    });
    const { title, lines } = wording({ ...group, also: [DOWN] });
    expect(title).toBe('2 targets and groups are down');
    expect(lines[0]).toMatch(/^group shop is down: /);
    expect(wording({ ...group, also: [{ ...group, target: 'bar' }] }).title).toBe('2 groups are down');
  });
});

test.each([
  ['short', 5, 'short'],
  ['too long', 7, 'too …'],
  ['äöü', 5, 'ä…'],
  ['aäöü', 6, 'aä…'],
])('%s in %d bytes is %s', (text, bytes, shown) => {
  expect(clipped(text, bytes)).toBe(shown);
  expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(bytes);
});
