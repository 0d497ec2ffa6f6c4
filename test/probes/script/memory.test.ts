import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type MemoryWatch, type Watched, createMemoryWatch } from '../../../probes/script/memory.ts';

const MIB = 1024 * 1024;

interface FakeThread extends Watched {
  turns: number;
  usedMib: number;
  readonly systemId: number;
  ended: string | undefined;
  overdue: number;
}

let now: number;
let processMib: number;
let faults: Map<number, number>;
let threads: FakeThread[];
let memory: MemoryWatch;

beforeEach(() => {
  vi.useFakeTimers();
  [now, processMib, faults, threads] = [0, 50, new Map(), []];
  memory = createMemoryWatch({
    now: () => now,
    processBytes: () => processMib * MIB,
    faultsOf: (id) => faults.get(id) ?? 0,
  });
  return () => {
    for (const thread of threads) memory.unwatch(thread);
    vi.useRealTimers();
  };
});

function start(): FakeThread {
  const thread: FakeThread = {
    turns: 0,
    usedMib: 0,
    systemId: threads.length + 1,
    ended: undefined,
    overdue: 0,
    pulse: () => ({ turns: thread.turns, usedBytes: thread.usedMib * MIB, systemId: thread.systemId }),
    end: ({ kind }) => void (thread.ended ??= kind),
    isEnding: () => thread.ended !== undefined,
    overdueMs: () => thread.overdue,
  };
  threads.push(thread);
  memory.watch(thread);
  return thread;
}

/** So much time passes, in looks of 25 ms, and meanwhile the process grows. */
function pass(ms: number, grownMib = 0, each = (): void => {}): void {
  for (let at = 0; at < ms; at += 25) {
    now += 25;
    processMib += grownMib / (ms / 25);
    each();
    memory.look();
  }
}

/** One that has started, and whose loop has turned. */
function started(): FakeThread {
  const thread = start();
  thread.turns = 1;
  pass(25);
  return thread;
}

const ended = (): (string | undefined)[] => threads.map((thread) => thread.ended);

describe('a thread whose loop is stuck', () => {
  test('is ended where the process gains more than anybody accounts for', () => {
    started();
    pass(100, 120);
    expect(ended()).toEqual([undefined]);
    pass(100, 20);
    expect(ended()).toEqual(['memory']);
  });

  test('is left alone where it was no script that took the memory: eight that start at once', () => {
    for (let i = 0; i < 8; i++) start();
    pass(500, 8 * 18);
    expect(ended()).toEqual(Array(8).fill(undefined));
  });

  test('is left alone while others start', () => {
    started();
    for (let i = 0; i < 7; i++) start();
    pass(500, 7 * 18);
    expect(ended()).toEqual(Array(8).fill(undefined));
  });

  test('is left alone where those that turn say that it was them', () => {
    started();
    const others = [started(), started(), started()];
    pass(500, 180, () => {
      for (const other of others) {
        other.turns++;
        other.usedMib += 3;
      }
    });
    expect(ended()).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is left alone while one that was ended is on its way out, which it does not hide behind for ever', () => {
    const leaks = started();
    const stuck = started();
    leaks.usedMib = 70;
    leaks.turns++;
    pass(25);
    expect(ended()).toEqual(['memory', undefined]);
    pass(500, 300, () => (leaks.overdue += 25));
    expect(ended()).toEqual(['memory', undefined]);
    pass(600, 0, () => (leaks.overdue += 25));
    expect(stuck.ended).toBe('memory');
  });

  test('of several it is the one that has touched the most', () => {
    const [some, most] = [started(), started()];
    pass(125, 300, () => {
      faults.set(some.systemId, (faults.get(some.systemId) ?? 0) + 10);
      faults.set(most.systemId, (faults.get(most.systemId) ?? 0) + 1_000);
    });
    expect(ended()).toEqual([undefined, 'memory']);
    memory.unwatch(most);
    pass(200, 50);
    expect(some.ended).toBe(undefined);
  });
});

test('a thread whose loop turns is ended by what it says', () => {
  const thread = started();
  thread.turns++;
  thread.usedMib = 63;
  pass(25, 500);
  expect(ended()).toEqual([undefined]);
  thread.turns++;
  thread.usedMib = 65;
  pass(25);
  expect(ended()).toEqual(['memory']);
});

test('one that has answered, and works on behind its answer, is told to go', () => {
  const thread = started();
  memory.rest(thread);
  pass(1_000);
  expect(ended()).toEqual([undefined]);
  pass(50);
  expect(ended()).toEqual(['ended']);
});
