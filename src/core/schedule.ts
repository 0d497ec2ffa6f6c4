/**
 * Start to start on a fixed grid: a target's attempts are due at `phase + k * interval` after the fleet's epoch. The
 * phase is a hash of the name, so that the load is spread by construction, the same after every restart.
 */

/** Due times are whole slots: starts that fall together share one wake-up of the process. */
const SLOT_MS = 10;

/** However long the interval, the first attempt comes within this time. */
const FIRST_WITHIN_MS = 10_000;

/** A target's offset inside its interval, in ms: a multiple of the slot, in [0, interval). */
export function phaseOf(name: string, intervalMs: number): number {
  const slots = Math.max(1, Math.floor(intervalMs / SLOT_MS));
  return (hash(name) % slots) * SLOT_MS;
}

/**
 * When the first attempt is due, for a target that joins at `now`: the next start of its grid, brought forward to the
 * first seconds where the interval is long.
 */
export function firstDue(name: string, intervalMs: number, epoch: number, now: number): number {
  const spread = Math.min(intervalMs, FIRST_WITHIN_MS);
  return nextSlot(phaseOf(name, intervalMs) % spread, spread, epoch, now);
}

/** The first start of the grid strictly after `after`. */
export function nextDue(name: string, intervalMs: number, epoch: number, after: number): number {
  return nextSlot(phaseOf(name, intervalMs), intervalMs, epoch, after);
}

function nextSlot(phase: number, intervalMs: number, epoch: number, after: number): number {
  const first = epoch + phase;
  if (after < first) return first;
  return first + (Math.floor((after - first) / intervalMs) + 1) * intervalMs;
}

/** How many starts of the grid lie in (after, before): the ones that were skipped, which are never caught up. */
export function startsBetween(
  name: string,
  intervalMs: number,
  epoch: number,
  after: number,
  before: number,
): number {
  const next = nextDue(name, intervalMs, epoch, after);
  return next >= before ? 0 : Math.ceil((before - next) / intervalMs);
}

/** FNV-1a, 32 bits, with murmur3's finaliser: names that differ in a digit land far apart. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
