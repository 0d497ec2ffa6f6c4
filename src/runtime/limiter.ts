import pLimit, { type LimitFunction } from 'p-limit';

export interface Concurrency {
  /** Attempts at once, over all targets. */
  readonly total: number;
  /** Attempts at once to one host. */
  perHost(host: string): number;
}

/** Bounds how much runs at once. Whoever waits for its host does not hold one of the total's places. */
export interface Limiter {
  run<T>(host: string | undefined, task: () => Promise<T>): Promise<T>;
  resize(concurrency: Concurrency): void;
}

export function createLimiter(concurrency: Concurrency): Limiter {
  const total = pLimit(concurrency.total);
  /** Limits in use, with how many use them: hosts come and go with reloads. */
  const hosts = new Map<string, { limit: LimitFunction; users: number }>();
  let bounds = concurrency;

  return {
    async run(host, task) {
      if (host === undefined) return await total(task);
      const entry = hosts.get(host) ?? { limit: pLimit(bounds.perHost(host)), users: 0 };
      hosts.set(host, entry);
      entry.users++;
      try {
        return await entry.limit(() => total(task));
      } finally {
        entry.users--;
        if (entry.users === 0) hosts.delete(host);
      }
    },
    resize(next) {
      total.concurrency = next.total;
      bounds = next;
      for (const [host, { limit }] of hosts) limit.concurrency = next.perHost(host);
    },
  };
}
