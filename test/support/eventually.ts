import { vi } from 'vitest';

/** Looks again and again until the check does not throw. How long that may take bounds a hang, and times nothing. */
export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 5 });
}
