import { expect, test } from 'vitest';
import type { IncidentAnswer } from '../../src/api/incidents.ts';
import { incidentStory } from '../../src/cli/picture/incident.ts';

const AT = '2026-01-01T00:00:00.000Z';
const ACTION: IncidentAnswer['actions'][number] = {
  id: 'a-1/1',
  step: 'mend',
  kind: 'exec',
  try: 1,
  mode: 'enforce',
  what: 'restart',
  result: null,
  detail: '',
  output: '',
  outcome: null,
  why: '',
  at: AT,
  ended: null,
  decided: null,
};

test.each<[Partial<typeof ACTION>, string[]]>([
  [{}, ['restart', 'under way', 'not judged yet']],
  [{ outcome: 'vetoed', why: 'not now' }, ['restart', 'not done', 'vetoed: not now']],
  [{ result: 'ok', detail: 'done' }, ['restart', 'ok: done', 'not judged yet']],
])('an action that is %j', (differing, lines) => {
  const answer: IncidentAnswer = {
    at: AT,
    incident: {
      id: 'a-1',
      target: 'a',
      group: null,
      opened: AT,
      closed: null,
      end: null,
      reason: null,
      class: null,
      message: '',
      correlated: null,
    },
    timeline: [],
    actions: [{ ...ACTION, ...differing }],
  };
  const page = incidentStory(answer, { paint: (_style, text) => text, columns: 100 }).split('\n');
  const from = page.indexOf('mend (exec), attempt 1') + 1;
  expect(page.slice(from, from + 3).map((line) => line.trim())).toEqual(lines);
});
