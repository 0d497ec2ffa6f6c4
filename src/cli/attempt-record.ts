import { type Attempt, classOf, reasonOf } from '../core/outcome.ts';
import type { Target } from '../core/target.ts';
import { round } from '../observe/log.ts';

/** What scripts read of an attempt, a line of `once --json` and the beginning of `probe --json`: its keys stay. */
export function attemptRecord({ name, probe }: Target, { outcome, latencyMs, phases }: Attempt) {
  return {
    target: name,
    probe: probe.kind,
    status: outcome.status,
    reason: reasonOf(outcome),
    class: classOf(outcome),
    message: outcome.message,
    latency_ms: round(latencyMs),
    phases: Object.fromEntries(Object.entries(phases).map(([phase, ms]) => [phase, round(ms)])),
    facts: outcome.facts ?? {},
  };
}
