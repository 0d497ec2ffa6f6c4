import type { Answer } from './routes.ts';

/** An answer as it goes out: its body is written. */
export interface Ready extends Pick<Answer, 'status' | 'headers'> {
  readonly body: Buffer | undefined;
}

/** What answers may cost the agent. Time is monotonic ms. */
export interface Thrift {
  /** The same as before where it was made a moment ago, else made now. A number instead: ms until there is time for it. */
  answer(key: string, make: () => Answer | Promise<Answer>): Promise<Ready> | number;
  /** Charges what was begun at `from` and is done by now. */
  charge(from: number): void;
  /** Something has changed: what is made from now on is made anew. */
  forget(): void;
}

/** Of all time, so much at most goes into answers. */
const SHARE = 0.1;
/** Time that was not used is saved up, ms: less than what would pass for a stall of the agent's loop. */
const MOST_SAVED_MS = 200;
/** An answer is shared for so many times as long as it took: one that costs nothing is always new. */
const SHARED_FOR = 20;

/**
 * Whoever asks costs the time in which targets are probed. So an answer that was dear is shared, and beyond a share of all
 * time there is none. An answer that overdraws is paid for by those who come after it. What is shared needs no bound of its
 * own: the dearer an answer is, the fewer are made while it is kept.
 */
export function createThrift(now: () => number): Thrift {
  const shared = new Map<string, { readonly ready: Promise<Ready>; until: number }>();
  let saved = { ms: MOST_SAVED_MS, at: now() };

  function savedMs(): number {
    const at = now();
    saved = { ms: Math.min(MOST_SAVED_MS, saved.ms + (at - saved.at) * SHARE), at };
    return saved.ms;
  }

  function charge(from: number): void {
    const left = savedMs();
    saved = { ms: left - (saved.at - from), at: saved.at };
  }

  async function readyOf(answer: Answer | Promise<Answer>, spent: (from: number) => void): Promise<Ready> {
    const { status, headers, body } = await answer;
    const from = now();
    const written = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    spent(from);
    return { status, body: written, ...(headers && { headers }) };
  }

  return {
    charge,
    answer(key, make) {
      const known = shared.get(key);
      const from = now();
      if (known && from < known.until) return known.ready;
      if (savedMs() <= 0) return Math.ceil((1 - saved.ms) / SHARE);
      for (const [other, { until }] of shared) if (from >= until) shared.delete(other);
      let cost = 0;
      const spent = (begun: number): void => {
        cost += now() - begun;
        charge(begun);
      };
      // A step of its own, so that whatever it throws is a rejection.
      const made = (async () => await make())();
      spent(from);
      const entry = { ready: readyOf(made, spent), until: Infinity };
      shared.set(key, entry);
      const settle = (): void => void (entry.until = now() + cost * SHARED_FOR);
      entry.ready.then(settle, settle);
      return entry.ready;
    },
    forget: () => shared.clear(),
  };
}
