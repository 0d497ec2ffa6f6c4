import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isReason } from '../core/outcome.ts';
import type { Recorded } from '../core/recorded.ts';
import type { Begun } from '../core/replay.ts';

/** What is done with what a log says, line by line: it may be larger than memory. */
export interface LogUser {
  readonly onAttempt: (attempt: Recorded) => Promise<void>;
  readonly onAction: (action: Begun) => void;
}

type Fields = Readonly<Record<string, unknown>>;

/** Of a log as the agent writes it at `--log json --log-level debug`; how many of its lines are none of that. */
export async function readLog(path: string, { onAttempt, onAction }: LogUser): Promise<{ bad: number }> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  const decode = createDecoder();
  let bad = 0;
  for await (const line of lines) {
    if (line === '') continue;
    const entry = decode(line);
    if (entry === 'bad') bad++;
    else if (entry && 'step' in entry) onAction(entry);
    else if (entry) await onAttempt(entry);
  }
  return { bad };
}

/** The clock of a line may differ by so much from that of its process before another process has written it, ms. */
const SAME_PROCESS_MS = 60_000;

function createDecoder(): (line: string) => Recorded | Begun | 'bad' | undefined {
  /** Ms since the epoch at which the process that writes had its monotonic clock at 0. */
  let origin: number | undefined;
  let session = 0;

  /** Stays as it is for a process: steps of the wall clock are not in it. */
  function startOf(time: number, latencyMs: number, startMs: unknown): number {
    if (typeof startMs !== 'number') {
      session ||= time;
      return time - latencyMs;
    }
    const seen = time - latencyMs - startMs;
    if (origin === undefined || Math.abs(seen - origin) > SAME_PROCESS_MS) {
      origin = seen;
      session = Math.round(seen);
    }
    return origin + startMs;
  }

  function attemptOf(fields: Fields, time: number): Recorded | 'bad' | undefined {
    const { target, status, reason, latency_ms: latencyMs, start_ms: startMs, state, message } = fields;
    if (status === 'void') return undefined;
    if (typeof target !== 'string' || typeof latencyMs !== 'number' || !isState(state)) return 'bad';
    if (status !== 'ok' && status !== 'warn' && status !== 'fail') return 'bad';
    if (status === 'fail' && !isReason(reason)) return 'bad';
    return {
      target,
      start: startOf(time, latencyMs, startMs),
      latencyMs,
      status,
      reason: isReason(reason) ? reason : null,
      message: typeof message === 'string' ? message : '',
      state,
      session,
      ...(fields['confirmation'] === true && { confirmation: true }),
      ...(fields['unreachable'] === true && { unreachable: true }),
      ...(fields['hushed'] === true && { hushed: true }),
      ...(fields['unverified'] === true && { unverified: true }),
      ...(typeof fields['score'] === 'number' && { score: fields['score'] }),
      ...(fields['doubtful'] === true && { doubtful: true }),
      ...(fields['path_lost'] === true && { path_lost: true }),
      ...(typeof fields['heard_ms'] === 'number' && { heard_ms: fields['heard_ms'] }),
    };
  }

  return (line) => {
    const fields = parsed(line);
    const time = Date.parse(String(fields?.['time']));
    if (!fields || Number.isNaN(time)) return 'bad';
    switch (fields['msg']) {
      case 'started':
        // The next line of an attempt says where its clock stands.
        origin = undefined;
        session = time;
        return undefined;
      case 'attempt':
        return attemptOf(fields, time);
      case 'recovery begins': {
        const { target, step } = fields;
        return typeof target === 'string' && typeof step === 'string' ? { target, step, at: time } : 'bad';
      }
      default:
        return undefined;
    }
  };
}

function parsed(line: string): Fields | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
}

const STATES = ['unknown', 'up', 'suspect', 'down', 'recovering'] as const;

function isState(word: unknown): word is (typeof STATES)[number] {
  return (STATES as readonly unknown[]).includes(word);
}
