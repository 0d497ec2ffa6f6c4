import { z } from 'zod';
import type { Hook, HookDefaults, HookEvent, HookResult } from '../../src/core/hook.ts';

export const OK: HookResult = { ok: true, detail: 'done', retry: false };
export const NO: HookResult = { ok: false, detail: 'no', retry: true };
export const NEVER: HookResult = { ok: false, detail: 'status 400', retry: false };

export interface FakeHook {
  readonly hook: Hook;
  /** What it was fired with. */
  readonly events: HookEvent[];
  /** Lets the one end that has hung for longest. */
  release(): void;
  readonly mostActive: number;
}

/** A hook that hangs until it is released or aborted, or answers at once. */
export function fakeHook(
  answer: (event: HookEvent, run: number) => HookResult | 'hang',
  kind = 'fake',
  defaults: Partial<HookDefaults> = {},
): FakeHook {
  const events: HookEvent[] = [];
  let active = 0;
  let mostActive = 0;
  const releases: (() => void)[] = [];
  const hook: Hook = {
    kind,
    settings: z.unknown(),
    defaults: { timeoutMs: 5_000, retries: 0, groupingMs: 0, ...defaults },
    async fire(_settings, event, { signal }) {
      events.push(event);
      const result = answer(event, events.length);
      if (result !== 'hang') return result;
      active++;
      mostActive = Math.max(mostActive, active);
      await new Promise<void>((resolve, reject) => {
        releases.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      }).finally(() => active--);
      return OK;
    },
  };
  return {
    hook,
    events,
    release: () => releases.shift()?.(),
    get mostActive() {
      return mostActive;
    },
  };
}
