/**
 * How long to wait before the nth retry (n from 1), in ms: doubling from `baseMs` up to `maxMs`, and from that a
 * uniformly random part between half and all, so that many retries that began together drift apart ("equal jitter",
 * Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function backoff(
  retry: number,
  random: () => number,
  { baseMs = 1_000, maxMs = 30_000 } = {},
): number {
  const full = Math.min(maxMs, baseMs * 2 ** (retry - 1));
  return full / 2 + random() * (full / 2);
}
