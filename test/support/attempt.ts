import type { Attempt } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import type { Trace } from '../../src/core/trace.ts';
import { startAttempt } from '../../src/runtime/attempt.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { relativeTo } from '../../src/schema/file.ts';
import { aTarget } from './targets.ts';

interface AttemptOnce {
  readonly timeoutMs?: number;
  /** Where relative paths start from. */
  readonly dir?: string;
  readonly onTrace?: Trace;
}

/** One real attempt with settings as they stand in the YAML; a bug in the probe throws. */
export async function attemptOnce<S>(
  probe: Probe<S>,
  written: unknown,
  { timeoutMs = 2_000, dir = process.cwd(), onTrace }: AttemptOnce = {},
): Promise<Attempt> {
  const settings = relativeTo(dir, () => probe.settings.parse(written));
  const troubles: string[] = [];
  const attempt = startAttempt({
    target: aTarget({ probe: { kind: probe.kind, settings }, rules: { timeoutMs } }),
    probe,
    number: 1,
    clock: createSystemClock(),
    redact: (text) => text,
    ...(onTrace && { onTrace }),
    onTrouble: (what, detail) => troubles.push(`${what}: ${detail}`),
  });
  const settled = await attempt.settled;
  await attempt.ended;
  if (troubles.length > 0) throw new Error(troubles.join('\n'));
  return settled!;
}
