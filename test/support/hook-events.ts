import type { Hook, HookEvent, HookResult } from '../../src/core/hook.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';

/** An incident of the target `orders`; it is over after two minutes and three seconds. */
export const DOWN: HookEvent = {
  id: 'orders-mb0c7s00/down',
  event: 'down',
  kind: 'target',
  target: 'orders',
  group: 'shop',
  labels: { tier: 'front', 'data center': 'b' },
  purpose: 'live',
  probe: 'http',
  state: 'down',
  from: 'suspect',
  reason: 'status',
  class: 'explicit',
  message: 'status 503 <!channel> & "quoted" {target} $(id) `id`',
  incident: 'orders-mb0c7s00',
  correlated: null,
  relapses: 0,
  attempt: 3,
  at: '2026-01-01T00:00:00.000Z',
  since: '2026-01-01T00:00:00.000Z',
};

export const UP: HookEvent = {
  ...DOWN,
  id: 'orders-mb0c7s00/up',
  event: 'up',
  state: 'up',
  from: 'recovering',
  reason: null,
  class: null,
  message: 'status 200',
  attempt: 9,
  at: '2026-01-01T00:02:03.000Z',
};

/** Down, of that many targets in groups of ten. */
export function manyDown(count: number): HookEvent {
  const [first, ...also] = Array.from({ length: count }, (_, index): HookEvent => ({
    ...DOWN,
    id: `node-${index}-mb0c7s00/down`,
    target: `node-${index}`,
    group: `rack-${Math.floor(index / 10)}`,
    incident: `node-${index}-mb0c7s00`,
  }));
  return also.length > 0 ? { ...first!, also } : first!;
}

/** Fires a hook with these settings, as written in the YAML. */
export function fire<S>(
  hook: Hook<S>,
  written: unknown,
  event: HookEvent = DOWN,
  signal = new AbortController().signal,
): Promise<HookResult> {
  return hook.fire(hook.settings.parse(written), event, { signal, clock: createSystemClock() });
}
