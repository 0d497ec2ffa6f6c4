import { expect, test } from 'vitest';
import type { Answer } from '../../../probes/script/job.ts';
import { createRests } from '../../../probes/script/rest.ts';
import type { Death } from '../../../probes/script/thread.ts';
import { ok } from '../../../src/core/outcome.ts';

const crash: Death = { kind: 'exit', code: 1 };
const answer: Answer = { kind: 'returned', outcome: ok('x'), retire: false };

function times<End>(count: number, end: End): End[] {
  return Array.from({ length: count }, () => end);
}

/** How long it rests after these, s. */
function restAfter(ends: readonly (Answer | Death)[]): number {
  const rests = createRests();
  for (const end of ends) rests.note('a', end, 0);
  let seconds = 0;
  while (rests.isResting('a', seconds * 1_000)) seconds++;
  expect(rests.isResting('b', 0)).toBe(false);
  return seconds;
}

test.each<[string, readonly (Answer | Death)[], number]>([
  ['two crashes', [crash, crash], 0],
  ['three', [crash, crash, crash], 2],
  ['four', times(4, crash), 4],
  ['five', times(5, crash), 8],
  ['eight', times(8, crash), 60],
  ['two thousand', times(2_000, crash), 60],
  ['other ways to go', [{ kind: 'memory' }, { kind: 'blocked' }, { kind: 'uncaught', error: null }], 2],
  ['what a script says that cannot be read', times(3, { kind: 'garbled' }), 2],
  ['an answer in between', [crash, crash, answer, crash], 0],
  ['an answer after many', [...times(8, crash), answer], 0],
  ['an error that it threw in its attempt', times(9, { kind: 'threw', errors: [], retire: false }), 0],
  ['an ignored signal', times(9, { kind: 'ended' }), 0],
  ['an ignored signal, which is no answer', [crash, crash, { kind: 'ended' }, crash], 2],
  ['places that others have', times(9, { kind: 'stuck' }), 0],
])('%s', (_, ends, seconds) => {
  expect(restAfter(ends)).toBe(seconds);
});
