import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { tokenProblem } from '../core/token.ts';

/** What the file of a token holds: nothing usable, where `unfit` says why. */
type Found = { readonly token: string } | { readonly unfit: string } | null;

/** Beside the file of the state. */
export function tokenFile(state: string): string {
  return `${state}.token`;
}

/**
 * The token that an agent without one of its own shares with those who may read its state; null where there is none. Only root
 * may take that of another user's agent.
 */
export function readToken(state: string, isAgent = false): Found {
  let fd: number;
  try {
    fd = openSync(tokenFile(state), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    // Of somebody else's agent.
    if (code === 'EACCES' && !isAgent) return null;
    return { unfit: code === 'ELOOP' ? 'it is a link' : code === 'EACCES' ? 'not permitted' : message };
  }
  try {
    const stat = fstatSync(fd);
    const uid = process.getuid?.() ?? stat.uid;
    if (!stat.isFile()) return { unfit: 'it is no file' };
    if (stat.uid !== uid && (isAgent || uid !== 0))
      return { unfit: `it belongs to another user (${stat.uid})` };
    if ((stat.mode & 0o077) !== 0)
      return { unfit: `others may use it (mode ${(stat.mode & 0o777).toString(8)}, not 600)` };
    const token = readFileSync(fd, 'utf8').trim();
    const unfit = tokenProblem(token);
    return unfit === undefined ? { token } : { unfit };
  } finally {
    closeSync(fd);
  }
}

/** The agent's: made where there is none yet, and in the place of one that is unfit. Throws where it cannot be kept. */
export function ownToken(state: string, onReplaced: (why: string) => void): string {
  const known = readToken(state, true);
  if (known && 'token' in known) return known.token;
  mkdirSync(dirname(state), { recursive: true, mode: 0o700 });
  const token = randomBytes(24).toString('base64url');
  if (known === null) {
    try {
      writeFileSync(tokenFile(state), `${token}\n`, { mode: 0o600, flag: 'wx' });
      return token;
    } catch (error) {
      // Another agent may have been quicker.
      const theirs = readToken(state, true);
      if (theirs && 'token' in theirs) return theirs.token;
      throw error;
    }
  }
  // The whole file is there at once, and a link is not followed.
  const made = `${tokenFile(state)}.${randomBytes(6).toString('hex')}`;
  writeFileSync(made, `${token}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(made, tokenFile(state));
  onReplaced(known.unfit);
  return token;
}
