import type { Action } from '../../src/core/step.ts';

/** An action for tests: what the test is not about is filled in. */
export function anAction(rest: Partial<Action> = {}): Action {
  return {
    id: 'a-1/1',
    event: 'recover',
    target: 'a',
    group: null,
    labels: { tier: 'front' },
    purpose: 'live',
    probe: 'http',
    state: 'down',
    reason: 'refused',
    class: 'explicit',
    message: 'connect ECONNREFUSED $(touch /tmp/never) `id`',
    incident: 'a-1',
    step: 'restart/2',
    try: 1,
    attempt: 3,
    at: '2026-01-01T00:00:05.000Z',
    since: '2026-01-01T00:00:00.000Z',
    ...rest,
  };
}
