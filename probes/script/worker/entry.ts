import { readlinkSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import type { ScriptContext } from '../define.ts';
import {
  type Answer,
  type FromThread,
  type Job,
  type Named,
  type ThreadData,
  type Thrown,
  type ToThread,
  SYSTEM_ID,
  TURNS,
  USED_KIB,
} from '../job.ts';
import { NoOutcome, outcomeFrom } from '../returned.ts';
import { LIMIT_BYTES, NICE, PULSE_MS } from '../limits.ts';
import { hookIn } from './hooks.ts';
import { Stale, Unusable, load } from './load.ts';
import { takeOutput } from './output.ts';

/** A script's thread: loads scripts and runs their attempts, one at a time. */

const { port, pulse } = workerData as ThreadData;
// What is ours is out of reach of scripts: what they post goes nowhere.
delete (workerData as { port?: unknown }).port;
parentPort?.close();
const post = port.postMessage.bind(port);
const { stringify } = JSON;

// First of all: threads that it starts, as the one of hooks, step back with it.
stepBack();
const output = takeOutput();
hookIn();
Atomics.store(pulse, SYSTEM_ID, systemId());

const clock = { now: () => performance.now(), wallTime: () => Date.now() };
let abort: AbortController | undefined;
// What the thread takes so far is not a script's. Also between jobs: one may have left something behind that goes on.
beat();
setInterval(beat, PULSE_MS);

port.on('message', (message: ToThread) => {
  if (message === 'abort') abort?.abort();
  else void serve(message);
});

async function serve(job: Job): Promise<void> {
  abort = new AbortController();
  output.tell(job.traced ? (text) => say(job, { kind: 'printed', text }) : undefined);
  const answer = await answerTo(job, abort.signal);
  output.tell(undefined);
  // A thread that has grown is not given to another script: it would die of what this one left behind.
  say(job, { ...answer, retire: answer.retire || usedBytes() > LIMIT_BYTES / 2 });
}

async function answerTo(job: Job, signal: AbortSignal): Promise<Answer> {
  let hasBegun = false;
  try {
    const script = await load(job.file);
    const settings = await script.settings(job.given);
    const context: ScriptContext = { target: job.target, signal, timeoutMs: job.timeoutMs, clock };
    if (signal.aborted) return { kind: 'late', retire: false };
    say(job, { kind: 'begun' });
    hasBegun = true;
    const outcome = outcomeFrom(await script.probe.attempt(settings, context));
    return { kind: 'returned', outcome, retire: false };
  } catch (error) {
    if (error instanceof Stale) return { kind: 'stale', retire: true };
    if (error instanceof Unusable) return { kind: 'unusable', message: error.message, retire: true };
    if (error instanceof NoOutcome) {
      return { kind: 'unusable', message: `${job.file} ${error.message}`, retire: false };
    }
    // Node remembers that a module could not be loaded; only a fresh thread tries again.
    return { kind: 'threw', errors: chainOf(error), retire: !hasBegun };
  }
}

/** Where a script and the agent want the same core, it is the agent's: on Linux every thread has a priority of its own. */
function stepBack(): void {
  if (process.platform !== 'linux') return;
  try {
    os.setPriority(Math.min(19, os.getPriority() + NICE));
  } catch {
    // Where that is not allowed, they share.
  }
}

function systemId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

function say({ id }: Named, message: FromThread): void {
  post(stringify({ ...message, id }));
}

/** Tells the main thread that this loop turns, and what it weighs. */
function beat(): void {
  Atomics.store(pulse, USED_KIB, usedBytes() / 1024);
  Atomics.add(pulse, TURNS, 1);
}

function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

const MOST_ERRORS = 5;

/** The error and what caused it; of several at once, the first. */
function chainOf(error: unknown): Thrown[] {
  const chain: Thrown[] = [];
  for (let next: unknown = error; next !== undefined && next !== null && chain.length < MOST_ERRORS;) {
    const { name, message, stack, code, syscall, cause, errors } = Object(next) as Record<string, unknown>;
    chain.push({
      name: short(name),
      message: next instanceof Error ? short(message) : short(next),
      stack: short(stack, 8_000),
      code: short(code),
      syscall: short(syscall),
    });
    next = cause ?? (Array.isArray(errors) ? (errors[0] as unknown) : undefined);
  }
  return chain;
}

function short(value: unknown, most = 500): string {
  return value === undefined ? '' : String(value).slice(0, most);
}
