import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Beside the file of the state. */
function fileOf(state: string): string {
  return `${state}.token`;
}

/** The token that an agent without one of its own shares with those who may read its state. */
export function readToken(state: string): string | undefined {
  try {
    return readFileSync(fileOf(state), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The same, made where there is none yet. Throws where it cannot be kept. */
export function ownToken(state: string): string {
  const known = readToken(state);
  if (known !== undefined) return known;
  mkdirSync(dirname(state), { recursive: true, mode: 0o700 });
  const token = randomBytes(24).toString('base64url');
  try {
    writeFileSync(fileOf(state), `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    // Another agent may have been quicker.
    const theirs = readToken(state);
    if (theirs === undefined) throw error;
    return theirs;
  }
}
