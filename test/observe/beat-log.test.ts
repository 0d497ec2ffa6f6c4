import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createBeatLog } from '../../src/observe/beat-log.ts';
import { createFakeClock } from '../support/fake-clock.ts';

function gatheringLog() {
  const records: Record<string, unknown>[] = [];
  const log = pino(
    { base: null, timestamp: false, level: 'debug' },
    { write: (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { log, records };
}

test('refusals are told at once, then in sums, a line a minute; the rest at the end', async () => {
  const clock = createFakeClock();
  const { log, records } = gatheringLog();
  const beats = createBeatLog(log, clock);
  const stranger = { result: 'refused', why: 'unauthorized', from: '10.0.0.9' } as const;
  beats.onBeat!(stranger);
  expect(records).toEqual([
    { level: 40, msg: 'requests refused', count: 1, why: { unauthorized: 1 }, from: ['10.0.0.9'] },
  ]);
  for (let i = 0; i < 1_000; i++) beats.onBeat!({ ...stranger, from: `10.0.1.${i}` });
  beats.onBeat!({ result: 'refused', why: 'malformed', target: 'n', from: '10.0.0.8' });
  expect(records).toHaveLength(1);
  await clock.advance(60_000);
  expect(records[1]).toMatchObject({
    count: 1_001,
    why: { unauthorized: 1_000, malformed: 1 },
    targets: ['n'],
  });
  expect(records[1]!['from']).toHaveLength(5);
  beats.onBeat!({ result: 'ignored', why: 'sequence', target: 'n', from: '10.0.0.8' });
  expect(records[2]).toMatchObject({ msg: 'beats ignored', count: 1, targets: ['n'] });
  beats.onBeat!(stranger);
  beats.end();
  expect(records[3]).toMatchObject({ msg: 'requests refused', count: 1 });
  beats.end();
  expect(records).toHaveLength(4);
  expect(clock.pending).toBe(0);
});
