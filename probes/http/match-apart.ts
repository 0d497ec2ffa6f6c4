import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { ProbeContext } from '../../src/core/probe.ts';
import { OwnTrouble } from '../wire/reason.ts';

/** Threads that match at once. Others wait for their turn. */
const MOST_THREADS = 2;

/** CommonJS, as text: it is the same from the source and from what was built. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { RE2JS } = require(workerData.re2js);
parentPort.postMessage(RE2JS.compile(workerData.source).test(workerData.text));
`;

let running = 0;
const waiting = new Set<() => void>();

/**
 * Holds a pattern against a text that is longer than it reaches, in a thread of its own: the loop goes on beside it. The
 * thread is gone when this settles. Rejects at once where the attempt is aborted.
 */
export async function matchApart(
  source: string,
  text: string,
  { signal, enter }: Pick<ProbeContext, 'signal' | 'enter'>,
): Promise<boolean> {
  if (running >= MOST_THREADS) {
    enter('queue');
    // Whoever is done hands the place on.
    await turn(signal);
  } else {
    running++;
  }
  try {
    signal.throwIfAborted();
    enter('receive');
    return await matchInThread(source, text, signal);
  } finally {
    const [next] = waiting;
    if (next) next();
    else running--;
  }
}

function turn(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    function leave(): void {
      waiting.delete(take);
      reject(signal.reason as Error);
    }
    function take(): void {
      waiting.delete(take);
      signal.removeEventListener('abort', leave);
      resolve();
    }
    signal.throwIfAborted();
    waiting.add(take);
    signal.addEventListener('abort', leave, { once: true });
  });
}

async function matchInThread(source: string, text: string, signal: AbortSignal): Promise<boolean> {
  const re2js = createRequire(import.meta.url).resolve('re2js');
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { re2js, source, text },
    // None of what our own process was started with is its business.
    execArgv: [],
    env: {},
    name: 'vitald match',
  });
  let leave = (): void => {};
  try {
    return await new Promise<boolean>((resolve, reject) => {
      leave = () => reject(signal.reason as Error);
      signal.addEventListener('abort', leave, { once: true });
      worker.once('message', resolve);
      worker.once('error', (error) => reject(died(error.message)));
      worker.once('exit', (code) => reject(died(`exit ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', leave);
    await worker.terminate();
  }
}

function died(why: string): OwnTrouble {
  return new OwnTrouble(`the thread that matched the body died: ${why}`);
}
