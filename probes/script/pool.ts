import type { Cancel, Clock } from '../../src/core/clock.ts';
import type { Answer, Job } from './job.ts';
import { leaveWithout } from './leave.ts';
import {
  GRACE_MS,
  IDLE_MS,
  LOADING_MS,
  LOOK_EVERY_MS,
  MOST_IN_ALL,
  MOST_THREADS,
  STUCK_MS,
} from './limits.ts';
import { createMemoryWatch } from './memory.ts';
import { createRests } from './rest.ts';
import { type Death, type Listeners, type Thread, startThread } from './thread.ts';

export interface RunOptions extends Listeners {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The job waits for a thread: at first, and again where it has to change threads. */
  onQueued(): void;
}

/** A few threads for all scripts. They stay warm, and end when nobody has needed them for a while. */
export interface Pool {
  /** Rejects where the signal aborts before a thread is free, and where no thread can be started. */
  run(
    job: Omit<Job, 'timeoutMs' | 'id'>,
    timeoutMs: () => number,
    options: RunOptions,
  ): Promise<Answer | Death>;
  counts(): { readonly busy: number; readonly idle: number; readonly waiting: number };
  /** Ends the threads that are idle. */
  clear(): Promise<void>;
}

interface Waiter {
  take(thread: Thread): void;
  fail(error: unknown): void;
}

export function createPool({
  most = MOST_THREADS,
  mostInAll = MOST_IN_ALL,
  idleMs = IDLE_MS,
  loadingMs = LOADING_MS,
  stuckMs = STUCK_MS,
} = {}): Pool {
  /** All that are not gone yet, also those that were told to go. */
  const alive = new Set<Thread>();
  const busy = new Set<Thread>();
  /** The one used last stands last. */
  const idle = new Map<Thread, NodeJS.Timeout>();
  const waiting = new Set<Waiter>();
  const memory = createMemoryWatch();
  const rests = createRests();
  let forgetLeaving = (): void => {};
  let next: NodeJS.Timeout | undefined;

  function start(): Thread {
    const thread = startThread();
    if (alive.size === 0) forgetLeaving = leaveWithout(alive);
    alive.add(thread);
    memory.watch(thread);
    void thread.gone.then(() => {
      alive.delete(thread);
      if (alive.size === 0) forgetLeaving();
      memory.unwatch(thread);
      drop(thread);
      serveNext();
    });
    return thread;
  }
  function drop(thread: Thread): void {
    clearTimeout(idle.get(thread));
    idle.delete(thread);
  }

  /** Whoever changes threads keeps the place of the one that is gone. Scripts that wait for dead targets hold up no others. */
  function hasPlace(): boolean {
    const taken = new Set([...alive, ...busy]);
    if (taken.size < most) return true;
    return taken.size < mostInAll && [...taken].filter((thread) => !thread.isWaiting()).length < most;
  }

  /** No thread will be free soon: all were told to go, and none does. */
  function isStuck(): boolean {
    return !hasPlace() && [...alive].every((thread) => thread.overdueMs() > stuckMs);
  }

  function serveNext(): void {
    clearTimeout(next);
    for (const waiter of waiting) {
      if (!hasPlace()) {
        // Nobody tells us when a script begins to wait.
        if (alive.size < mostInAll) next = setTimeout(serveNext, LOOK_EVERY_MS).unref();
        return;
      }
      try {
        waiter.take(start());
      } catch (error) {
        waiter.fail(error);
      }
    }
  }

  function takeIdle(file: string): Thread | undefined {
    const warmest = [...idle.keys()].filter((thread) => !thread.isEnding()).toReversed();
    const thread = warmest.find((one) => one.hasLoaded(file)) ?? warmest[0];
    if (thread) drop(thread);
    return thread;
  }

  /** A thread that belongs to the caller until it is given back. */
  function take(file: string, signal: AbortSignal): Promise<Thread> | Thread {
    const thread = takeIdle(file) ?? (hasPlace() ? start() : undefined);
    if (thread) {
      busy.add(thread);
      return thread;
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.fail(signal.reason);
      const waiter: Waiter = {
        take(thread) {
          waiting.delete(waiter);
          signal.removeEventListener('abort', leave);
          busy.add(thread);
          resolve(thread);
        },
        fail(error) {
          waiting.delete(waiter);
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      waiting.add(waiter);
      signal.addEventListener('abort', leave, { once: true });
      serveNext();
    });
  }

  function giveBack(thread: Thread): void {
    busy.delete(thread);
    // One that ends keeps its place until it is gone, however long it is stuck inside a call.
    if (thread.isEnding()) return serveNext();
    const [waiter] = waiting;
    if (waiter) {
      waiter.take(thread);
    } else {
      memory.rest(thread);
      // Not on an attempt's clock: it outlives them, and must keep no process alive.
      const timer = setTimeout(() => {
        drop(thread);
        thread.end({ kind: 'ended' });
      }, idleMs);
      idle.set(thread, timer.unref());
    }
  }

  /** The same place under the bound, with a thread that nobody has used. */
  async function exchange(thread: Thread, signal: AbortSignal): Promise<Thread> {
    thread.end({ kind: 'ended' });
    await goneOr(signal, thread);
    signal.throwIfAborted();
    const fresh = start();
    busy.delete(thread);
    busy.add(fresh);
    return fresh;
  }

  async function runOn(thread: Thread, job: Omit<Job, 'id'>, options: RunOptions): Promise<Answer | Death> {
    const { signal, clock } = options;
    let hasBegun = false;
    let cancelGrace: Cancel = () => {};
    function allow(graceMs: number): void {
      cancelGrace();
      const { turns } = thread.pulse();
      cancelGrace = clock.schedule(clock.now() + graceMs, () => {
        thread.end({ kind: thread.pulse().turns === turns ? 'blocked' : 'ended' });
      });
    }
    function onAbort(): void {
      thread.abort();
      allow(hasBegun ? GRACE_MS : loadingMs);
    }
    const listeners: Listeners = {
      onBegun() {
        hasBegun = true;
        if (signal.aborted) allow(GRACE_MS);
        options.onBegun();
      },
      onPrinted: options.onPrinted,
    };
    memory.watch(thread);
    signal.addEventListener('abort', onAbort, { once: true });
    const answer = await thread.run(job, listeners);
    cancelGrace();
    signal.removeEventListener('abort', onAbort);
    if ('retire' in answer && answer.retire) thread.end({ kind: 'ended' });
    return answer;
  }

  return {
    async run(job, timeoutMs, options) {
      const { signal, clock, onQueued } = options;
      signal.throwIfAborted();
      const script = `${job.file} ${job.given}`;
      if (rests.isResting(script, clock.now())) return { kind: 'resting' };
      if (isStuck()) return { kind: 'stuck' };
      onQueued();
      let thread = await take(job.file, signal);
      try {
        for (;;) {
          // The thread may have come when it was too late.
          signal.throwIfAborted();
          const wasUsed = thread.served() > 0;
          const answer = await runOn(thread, { ...job, timeoutMs: timeoutMs() }, options);
          // What died on a thread that has served others may have died of what they left behind.
          const mayBeOthers = wasUsed && !('retire' in answer) && answer.kind !== 'ended';
          if (signal.aborted || !(answer.kind === 'stale' || mayBeOthers)) {
            rests.note(script, answer, clock.now());
            return answer;
          }
          onQueued();
          thread = await exchange(thread, signal);
        }
      } finally {
        if (busy.has(thread)) giveBack(thread);
      }
    },
    counts: () => ({ busy: busy.size, idle: idle.size, waiting: waiting.size }),
    async clear() {
      const threads = [...idle.keys()];
      for (const thread of threads) {
        drop(thread);
        thread.end({ kind: 'ended' });
      }
      await Promise.all(threads.map(({ gone }) => gone));
    },
  };
}

/** Resolves when the thread is gone or the signal aborts. */
async function goneOr(signal: AbortSignal, { gone }: Thread): Promise<void> {
  let resolve = (): void => {};
  const aborted = new Promise<void>((done) => (resolve = done));
  signal.addEventListener('abort', resolve, { once: true });
  await Promise.race([gone, aborted]);
  signal.removeEventListener('abort', resolve);
}
