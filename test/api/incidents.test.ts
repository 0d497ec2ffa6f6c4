import { expect, test } from 'vitest';
import { type IncidentAnswer, incidentRoutes } from '../../src/api/incidents.ts';
import { incidentId } from '../../src/core/incident.ts';
import type { Rows, Store, Table } from '../../src/core/store.ts';

test('what happened at the same moment is told in the order in which it happened', async () => {
  const id = incidentId('orders', 1_000);
  const timeline = [
    [1_000, 'down'],
    [1_000, 'told'],
    // It was noted late.
    [900, 'first failure'],
    [1_000, 'recovery'],
  ] as const;
  const tables: Partial<{ [Name in Table]: Partial<Rows[Name]>[] }> = {
    incident: [{ id, target: 'orders', opened: 1_000, closed: null }],
    timeline: timeline.map(([at, what]) => ({ incident: id, target: 'orders', at, what, detail: '' })),
  };
  // The newest first.
  const list: Store['list'] = async (table) => (tables[table] ?? []).toReversed() as never;
  const route = incidentRoutes({ list }, () => 2_000).find(({ path }) => path === '/api/v1/incidents/:id')!;
  const { body } = await route.answer({ params: { id }, query: {}, body: undefined });
  expect((body as IncidentAnswer).timeline.map(({ what }) => what)).toEqual([
    'first failure',
    'down',
    'told',
    'recovery',
  ]);
});
