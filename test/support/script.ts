import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { script as shared } from '../../probes/script/probe.ts';
import type { Attempt } from '../../src/core/outcome.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { type RunningAttempt, startAttempt } from '../../src/runtime/attempt.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { aTarget } from './targets.ts';

const BUILT = fileURLToPath(new URL('../../dist/probes/script/worker/entry.js', import.meta.url));

/** A script in a directory of its own, without a node_modules anywhere near; its path. */
export function scriptFile(source: string, name = 'probe.mjs'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'vitald-script-')), name);
  writeFileSync(file, source);
  return file;
}

/** A script whose attempt has this body; `settings`, `signal`, `timeoutMs`, `clock` and `target` are there. */
export function attemptOf(body: string, above = ''): string {
  return scriptFile(`
    import { defineProbe, ok, warn, fail, voided } from 'vitald';
    ${above}
    export default defineProbe({
      async attempt(settings, { signal, timeoutMs, clock, target }) { ${body} },
    });
  `);
}

export interface ScriptRun extends RunningAttempt {
  readonly troubles: readonly string[];
  readonly seen: readonly TraceEntry[];
}

interface RunOptions {
  readonly given?: unknown;
  readonly timeoutMs?: number;
  readonly name?: string;
  readonly traced?: boolean;
  /** Another than the one that has the threads which all share. */
  readonly script?: typeof shared;
  /** Called when the settings have been read, before the attempt. */
  readonly onLoaded?: () => void;
}

/** One attempt of a script under way, as the agent runs it. */
export function startScript(
  file: string,
  { given = {}, timeoutMs = 20_000, name = 't', traced = false, onLoaded, script = shared }: RunOptions = {},
): ScriptRun {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: npm run build makes it`);
  const settings = script.settings.parse({ file, with: given });
  onLoaded?.();
  const troubles: string[] = [];
  const seen: TraceEntry[] = [];
  const attempt = startAttempt({
    target: aTarget({
      name,
      probe: { kind: 'script', settings },
      rules: { timeoutMs },
    }),
    probe: script,
    number: 1,
    clock: createSystemClock(),
    redact: (text) => text,
    onTrouble: (what, detail) => troubles.push(`${what}: ${detail}`),
    ...(traced && { onTrace: (entry: TraceEntry) => seen.push(entry) }),
  });
  return { ...attempt, troubles, seen };
}

/** One attempt of a script to its very end. */
export async function runScript(
  file: string,
  options: RunOptions = {},
): Promise<Attempt & Pick<ScriptRun, 'troubles' | 'seen'>> {
  const run = startScript(file, options);
  const attempt = await run.settled;
  await run.ended;
  return { ...attempt!, troubles: run.troubles, seen: run.seen };
}
