import type { Cancel, Clock } from '../../src/core/clock.ts';

/** Our own loop was late where a callback comes later than this, ms: what has arrived meanwhile waits to be read. */
const STALL_MS = 20;

/** Acts at that time, unless cancelled. Where our loop was late for it, as much later again, once. */
export function patiently(clock: Clock, at: number, act: () => void): Cancel {
  let cancel = clock.schedule(at, () => {
    const now = clock.now();
    if (now - at <= STALL_MS) act();
    else cancel = clock.schedule(now + (now - at), act);
  });
  return () => cancel();
}
