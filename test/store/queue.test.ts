import { describe, expect, test } from 'vitest';
import type { Table } from '../../src/core/store.ts';
import { type Put, createHeld, createQueue } from '../../src/store/queue.ts';

function put(table: Table, key: string | null, value: number): Put {
  return { table, key, row: { value }, at: 0 };
}

const values = (puts: readonly Put[]): unknown[] => puts.map(({ row }) => row?.['value']);

describe('what waits', () => {
  test('the last row of a key wins, rows without one all stay', () => {
    const queue = createQueue();
    queue.put(put('target', 'a', 1));
    queue.put(put('timeline', null, 2));
    queue.put(put('target', 'a', 3));
    queue.put(put('timeline', null, 4));
    expect(queue.pending()).toBe(3);
    expect(values(queue.take())).toEqual([3, 2, 4]);
  });

  test('what was not written waits again, behind nothing that is newer', () => {
    const queue = createQueue();
    queue.put(put('target', 'a', 1));
    queue.put(put('target', 'b', 2));
    queue.put(put('timeline', null, 3));
    queue.take();
    queue.put(put('target', 'a', 4));
    queue.put(put('timeline', null, 5));
    expect(queue.pending()).toBe(5);
    queue.returned();
    expect(values(queue.take())).toEqual([4, 2, 3, 5]);
    queue.written();
    expect(queue.pending()).toBe(0);
  });

  test('a history that the disk does not take is bounded, and says what it dropped; targets are not', () => {
    const queue = createQueue();
    for (let i = 0; i < 10_003; i++) {
      queue.put(put('timeline', null, i));
      queue.put(put('target', `t${i}`, i));
    }
    expect(queue.dropped()).toBe(3);
    const taken = queue.take();
    expect(taken.length).toBe(20_003);
    expect(values(taken.filter(({ table }) => table === 'timeline'))[0]).toBe(3);
  });
});

describe('what is held in memory', () => {
  test('everything of what has keys, the newest of a history, and whatever has not come to its end', () => {
    const held = createHeld();
    const incident = (closed: number | null) => ({ closed });
    held.put('incident', 'open', incident(null));
    for (let i = 0; i < 1_005; i++) held.put('incident', `i${i}`, incident(i));
    held.put('target', 'a', { value: 1 });
    held.put('target', 'b', { value: 2 });
    held.put('target', 'a', null);
    expect(held.rows('incident').size).toBe(1_000);
    expect([...held.rows('incident').keys()].slice(0, 2)).toEqual(['open', 'i6']);
    expect([...held.rows('target').keys()]).toEqual(['b']);
    expect(held.all(0).length).toBe(1_001);
  });
});
