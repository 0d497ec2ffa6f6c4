import type { Cancel, Clock } from '../core/clock.ts';
import { stackOf } from '../core/observer.ts';
import { type Attempt, type Outcome, type Phase, fail, voided } from '../core/outcome.ts';
import type { Probe } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import type { Trace, TraceEntry } from '../core/trace.ts';
import { formatDuration } from '../core/units.ts';
import { presentable } from './presentable.ts';

/**
 * A deadline that fires later than this, ms, finds our own loop late: the answer may have arrived and wait to be read.
 * It is set anew once, by as much as it was late (research: timers run before the arrived bytes are read).
 */
const STALL_MS = 20;

export interface RunningAttempt {
  /** At the outcome or at the deadline, whichever is first; null where it was called off. Never rejects. */
  readonly settled: Promise<Attempt | null>;
  /** When the probe itself has come to its end, which one that ignores its signal may do late. Never rejects. */
  readonly ended: Promise<void>;
  /** Calls the attempt off: it will have no outcome. */
  cancel(): void;
}

export interface AttemptOptions {
  readonly target: Target;
  readonly probe: Probe;
  readonly number: number;
  readonly clock: Clock;
  readonly redact: Redact;
  /** Told of a probe that threw: a bug of ours, and void. */
  readonly onTrouble: (what: string, detail: string) => void;
  /** Told what the attempt sees, secrets masked; only where a person looks. */
  readonly onTrace?: Trace;
  /** Told of each stage as it begins: the attempt knows only how long each took in all. */
  readonly onPhase?: (phase: Phase) => void;
}

/** One bounded run of a probe: the deadline, the phases and the latency are kept here, for every kind alike. */
export function startAttempt(options: AttemptOptions): RunningAttempt {
  const { target, probe, number, clock, redact, onTrouble, onTrace, onPhase } = options;
  const startedAt = clock.now();
  const at = clock.wallTime();
  const { timeoutMs } = target.rules;
  /** Waiting for a place of ours does not eat the target's time. */
  let queuedMs = 0;
  let queuedSince: number | undefined;
  const abort = new AbortController();
  const phases = createPhases(clock);
  let open = true;
  let cancelDeadline: Cancel = () => {};
  let resolveSettled: (attempt: Attempt | null) => void = () => {};
  const settled = new Promise<Attempt | null>((resolve) => {
    resolveSettled = resolve;
  });

  function settle(outcome: Outcome | null): void {
    if (!open) return;
    open = false;
    cancelDeadline();
    const latencyMs = clock.now() - startedAt;
    resolveSettled(
      outcome && {
        outcome: presentable(outcome, redact),
        number,
        at,
        startedAt,
        latencyMs,
        phases: phases.close(),
      },
    );
  }

  function onDeadline(due: number, credited: boolean): void {
    const late = clock.now() - due;
    if (late > STALL_MS && !credited) {
      armDeadline(clock.now() + Math.min(timeoutMs, late), true);
      return;
    }
    settle(timeoutOutcome(phases.current(), timeoutMs));
    abort.abort(new Error('the deadline has passed'));
  }
  function armDeadline(due: number, credited: boolean): void {
    cancelDeadline = clock.schedule(due, () => onDeadline(due, credited));
  }
  const deadline = (): number => startedAt + timeoutMs + queuedMs;
  armDeadline(deadline(), false);

  function enter(phase: Phase): void {
    if (!open) return;
    if (phase === 'queue') queuedSince ??= clock.now();
    else if (queuedSince !== undefined) {
      queuedMs += clock.now() - queuedSince;
      queuedSince = undefined;
      cancelDeadline();
      armDeadline(deadline(), false);
    }
    phases.enter(phase);
    onPhase?.(phase);
  }

  async function runProbe(): Promise<void> {
    try {
      settle(
        await probe.attempt(target.probe.settings, {
          target: target.name,
          signal: abort.signal,
          get deadline() {
            return deadline();
          },
          clock,
          enter,
          ...(onTrace && { trace: (entry) => onTrace(redactedEntry(entry, redact)) }),
        }),
      );
    } catch (error) {
      // After the abort it is the abort that is thrown.
      if (!open) return;
      onTrouble(`probe ${probe.kind}`, stackOf(error));
      settle(voided(`our own trouble: ${error instanceof Error ? error.message : String(error)}`));
    }
  }

  return {
    settled,
    ended: runProbe(),
    cancel() {
      settle(null);
      abort.abort(new Error('the attempt was called off'));
    },
  };
}

function redactedEntry(entry: TraceEntry, redact: Redact): TraceEntry {
  switch (entry.kind) {
    case 'note':
    case 'sent':
    case 'received':
      return { ...entry, text: redact(entry.text) };
    case 'rule':
      return { ...entry, rule: redact(entry.rule), value: redact(entry.value) };
    case 'certificates':
      return entry;
  }
}

/** What a passed deadline says depends on how far the attempt had come. */
function timeoutOutcome(phase: Phase | undefined, timeoutMs: number): Outcome {
  const within = `within ${formatDuration(timeoutMs)}`;
  switch (phase) {
    case 'queue':
      return voided(`our own trouble: the attempt did not get its turn ${within}`);
    case 'dns':
      return fail('dns', `no answer to the name lookup ${within}`);
    case 'connect':
      return fail('connect_timeout', `no connection ${within}`);
    case 'tls':
      return fail('timeout', `connected, but no TLS handshake ${within}`);
    case 'receive':
      return fail('timeout', `the answer was not complete ${within}`);
    default:
      return fail('timeout', `no answer ${within}`);
  }
}

interface Phases {
  enter(phase: Phase): void;
  current(): Phase | undefined;
  /** Ends the last phase; ms by phase. */
  close(): Attempt['phases'];
}

function createPhases(clock: Clock): Phases {
  const times: Partial<Record<Phase, number>> = {};
  let current: Phase | undefined;
  let since = 0;
  function end(now: number): void {
    if (current) times[current] = (times[current] ?? 0) + now - since;
  }
  return {
    enter(phase) {
      if (phase === current) return;
      const now = clock.now();
      end(now);
      current = phase;
      since = now;
    },
    current: () => current,
    close() {
      end(clock.now());
      return times;
    },
  };
}
