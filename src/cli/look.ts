import { probes } from '../../probes/index.ts';
import type { Clock } from '../core/clock.ts';
import type { Attempt, Phase } from '../core/outcome.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Redact } from '../core/redact.ts';
import type { Target } from '../core/target.ts';
import type { TraceEntry } from '../core/trace.ts';
import { startAttempt } from '../runtime/attempt.ts';

/** What is looked at: a target, and its probe's settings as they were written, secrets masked. */
export interface Subject {
  readonly target: Target;
  readonly written: unknown;
  readonly redact: Redact;
}

/** One attempt and all that it told, with the time since its start. */
export interface Look {
  readonly target: Target;
  readonly written: unknown;
  readonly attempt: Attempt;
  readonly phases: readonly { readonly atMs: number; readonly phase: Phase }[];
  readonly seen: readonly Seen[];
}

export interface Seen {
  readonly atMs: number;
  readonly entry: TraceEntry;
}

/** What a probe may still tell once the deadline has settled its attempt, ms: how far it had come. */
const AFTERMATH_MS = 250;

export async function lookAt(
  { target, written, redact }: Subject,
  number: number,
  { clock, onTrouble }: { readonly clock: Clock; readonly onTrouble: (what: string, detail: string) => void },
): Promise<Look> {
  const registry: ProbeRegistry = probes;
  const phases: { atMs: number; phase: Phase }[] = [];
  const seen: Seen[] = [];
  const startedAt = clock.now();
  const { settled, ended } = startAttempt({
    target,
    probe: registry[target.probe.kind]!,
    number,
    clock,
    redact,
    onTrouble,
    onTrace: (entry) => seen.push({ atMs: clock.now() - startedAt, entry }),
    onPhase: (phase) => phases.push({ atMs: clock.now() - startedAt, phase }),
  });
  const attempt = (await settled)!;
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(clock.now() + AFTERMATH_MS, resolve);
    void ended.then(() => {
      cancel();
      resolve();
    });
  });
  return { target, written, attempt, phases: [...phases], seen: [...seen] };
}
