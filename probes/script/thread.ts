import { randomUUID } from 'node:crypto';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { MessageChannel, Worker } from 'node:worker_threads';
import { minimalEnvironment } from '../../src/process/command.ts';
import {
  type Answer,
  type FromThread,
  type Job,
  LONGEST_TEXT,
  type Named,
  PULSE_LENGTH,
  SYSTEM_ID,
  TURNS,
  type ToThread,
  USED_KIB,
} from './job.ts';

/** What a thread runs is always what was built, also where tests run the rest from its source: Node 20 takes no TypeScript. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/probes/script/worker/entry.js' : './worker/entry.js',
  import.meta.url,
);

/**
 * V8's own limits. Above `maxOldGenerationSizeMb` it ends the whole process where it cannot stop in time (a Map that
 * grows does that), so this one is out of reach, and memory is watched from outside. See docs/adr/0006-script-threads.md.
 */
const LIMITS = { maxOldGenerationSizeMb: 4_096, maxYoungGenerationSizeMb: 8 };

/** Why a thread is no more. */
export type Death =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'uncaught'; readonly error: unknown }
  | { readonly kind: 'memory' }
  | { readonly kind: 'garbled' }
  /** It was told to go. */
  | { readonly kind: 'ended' }
  /** It was told to go, and its loop no longer turned. */
  | { readonly kind: 'blocked' }
  /** It got none: it has destroyed too many. */
  | { readonly kind: 'resting' }
  /** There was none: all are stuck. */
  | { readonly kind: 'stuck' };

export interface Listeners {
  onBegun(): void;
  onPrinted(text: string): void;
}

export interface Pulse {
  readonly turns: number;
  readonly usedBytes: number;
  /** What the system calls the thread; 0 where that is not known. */
  readonly systemId: number;
}

/** One worker thread, which serves one job at a time. None of it keeps the process alive. */
export interface Thread {
  /** Resolves to the answer, or to why there will be none: the thread has ended then. */
  run(job: Omit<Job, 'id'>, listeners: Listeners): Promise<Answer | Death>;
  /** Tells the script that its time is over. */
  abort(): void;
  /** Ends it, also in the middle of an endless loop. */
  end(death: Death): void;
  /** When it is really gone. */
  readonly gone: Promise<void>;
  isEnding(): boolean;
  /** Its job has been idle for most of the time, and takes no core: it waits for somebody. */
  isWaiting(): boolean;
  /** It has a job, or was told to go and has not gone. */
  isAtWork(): boolean;
  hasLoaded(file: string): boolean;
  /** For how long it has been on its way out, ms; 0 where it is not. */
  overdueMs(): number;
  /** Jobs that it has answered. */
  served(): number;
  /** How often its loop has come round, and what it weighs, bytes, as of then. */
  pulse(): Pulse;
}

/** Less than that, ms, a script may take between two of its steps. */
const IDLE_MS = 100;

interface Current {
  readonly job: Job;
  readonly listeners: Listeners;
  settle(answer: Answer | Death): void;
  /** What its loop had done when the script's attempt began. */
  begunAt?: EventLoopUtilization;
}

export function startThread(): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const pulse = new Int32Array(new SharedArrayBuffer(PULSE_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(ENTRY, {
    workerData: { port: port2, pulse },
    transferList: [port2],
    env: minimalEnvironment(),
    execArgv: [],
    // Kept from our own output; what a script prints is taken inside. Nobody reads these: that would keep us alive.
    stdout: true,
    stderr: true,
    resourceLimits: LIMITS,
    name: 'vitald script',
  });
  worker.unref();

  const loaded = new Set<string>();
  let served = 0;
  let death: Death | undefined;
  let ending = false;
  let endingSince = 0;
  let isGone = false;
  let current: Current | undefined;

  function hear(text: unknown): void {
    const message = parsed(text);
    if (!message) return end({ kind: 'garbled' });
    // Of a job that is over, or made up by a script.
    if (!current || message.id !== current.job.id) return;
    if (message.kind === 'begun') {
      current.begunAt = worker.performance.eventLoopUtilization();
      return current.listeners.onBegun();
    }
    if (message.kind === 'printed') return current.listeners.onPrinted(message.text);
    if (['returned', 'threw', 'late'].includes(message.kind)) loaded.add(current.job.file);
    served++;
    const { settle } = current;
    current = undefined;
    settle(message);
  }
  function end(why: Death): void {
    if (ending) return;
    ending = true;
    endingSince = performance.now();
    death ??= why;
    port.close();
    void worker.terminate();
  }

  port.on('message', hear);
  port.unref();
  // Whatever a script throws comes here, and that may be null.
  worker.once('error', (error: unknown) => {
    death ??= isOutOfMemory(error) ? { kind: 'memory' } : { kind: 'uncaught', error };
  });
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      death ??= { kind: 'exit', code };
      isGone = true;
      port.close();
      current?.settle(death);
      current = undefined;
      resolve();
    });
  });

  return {
    run: (job, listeners) =>
      new Promise((settle) => {
        if (death) return settle(death);
        const named: Job = { ...job, id: randomUUID() };
        current = { job: named, listeners, settle };
        port.postMessage(named satisfies ToThread);
      }),
    abort: () => port.postMessage('abort' satisfies ToThread),
    end,
    gone,
    isEnding: () => death !== undefined,
    overdueMs: () => (ending && !isGone ? performance.now() - endingSince : 0),
    isWaiting() {
      if (ending || !current?.begunAt) return false;
      const { idle, utilization } = worker.performance.eventLoopUtilization(current.begunAt);
      return idle > IDLE_MS && utilization < 0.5;
    },
    isAtWork: () => !isGone && (current !== undefined || ending),
    hasLoaded: (file) => loaded.has(file),
    served: () => served,
    pulse: () => ({
      turns: Atomics.load(pulse, TURNS),
      usedBytes: Atomics.load(pulse, USED_KIB) * 1024,
      systemId: Atomics.load(pulse, SYSTEM_ID),
    }),
  };
}

function parsed(text: unknown): (FromThread & Named) | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT) return undefined;
  try {
    const message = JSON.parse(text) as FromThread & Named;
    return isKnown(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all is there that is read without a further look. */
function isKnown(message: FromThread): boolean {
  switch (message.kind) {
    case 'begun':
    case 'returned':
    case 'late':
    case 'stale':
      return true;
    case 'printed':
      return typeof message.text === 'string';
    case 'unusable':
      return typeof message.message === 'string';
    case 'threw':
      return Array.isArray(message.errors);
    default:
      return false;
  }
}

function isOutOfMemory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
