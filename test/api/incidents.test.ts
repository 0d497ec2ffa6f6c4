import { expect, test } from 'vitest';
import { type IncidentAnswer, incidentRoutes } from '../../src/api/incidents.ts';
import type { Answer } from '../../src/api/routes.ts';
import { incidentId } from '../../src/core/incident.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

test('what happened at the same moment is told in the order in which it happened', async () => {
  const store = createMemoryStore(0);
  const id = incidentId('orders', 1_000);
  store.put('incident', id, {
    id,
    target: 'orders',
    group: null,
    opened: 1_000,
    closed: null,
    end: null,
    reason: 'refused',
    class: 'explicit',
    message: 'no',
    correlated: null,
  });
  for (const [at, what] of [
    [1_000, 'down'],
    [1_000, 'told'],
    // It was noted late.
    [900, 'first failure'],
    [1_000, 'recovery'],
  ] as const) {
    store.put('timeline', null, { incident: id, target: 'orders', at, what, detail: '' });
  }
  const route = incidentRoutes(store, () => 2_000).find(({ path }) => path === '/api/v1/incidents/:id')!;
  const answer: Answer = await route.answer({ params: { id }, query: {}, body: undefined } as never);
  expect((answer.body as IncidentAnswer).timeline.map(({ what }) => what)).toEqual([
    'first failure',
    'down',
    'told',
    'recovery',
  ]);
});
