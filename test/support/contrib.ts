import { symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exec } from '../../probes/exec/probe.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { attemptOnce } from './attempt.ts';
import { findPrograms } from './programs.ts';
import { temporaryDirectory } from './real-server.ts';

/** The path of a ready probe script. */
export function contrib(name: string): string {
  return fileURLToPath(new URL(`../../probes/contrib/${name}`, import.meta.url));
}

/** One attempt with a ready probe script, by the exec probe, as a target would run it. */
export async function ask(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  // This bounds a hang, it times nothing.
  const { outcome } = await attemptOnce(
    exec,
    { command: [contrib(name), ...args], env },
    { timeoutMs: 25_000 },
  );
  return outcome;
}

/** The status and the message on one line. */
export function said({ status, message }: Outcome): string {
  return `${status}: ${message}`;
}

/** A PATH on which there are these programs, and no others. */
export function onlyThese(...programs: string[]): string {
  const directory = temporaryDirectory();
  const found = findPrograms(programs.map((program) => ({ program, from: 'coreutils' }))) ?? [];
  for (const path of found) symlinkSync(path, join(directory, basename(path)));
  return directory;
}
