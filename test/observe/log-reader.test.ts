import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Recorded } from '../../src/core/recorded.ts';
import type { Begun } from '../../src/core/replay.ts';
import { readLog } from '../../src/observe/log-reader.ts';
import { yamlFile } from '../support/yaml-file.ts';

const ATTEMPT = {
  level: 'debug',
  time: '2026-01-01T00:00:10.003Z',
  target: 'a',
  status: 'ok',
  reason: null,
  message: 'fine',
  start_ms: 10_001.5,
  latency_ms: 1.5,
  state: 'up',
  attempt: 1,
  msg: 'attempt',
};
const STARTED = Date.UTC(2026, 0, 1);

async function read(...lines: (object | string)[]) {
  const attempts: Recorded[] = [];
  const actions: Begun[] = [];
  const file = yamlFile('', 'log.json');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  const { bad } = await readLog(file, {
    onAttempt(attempt) {
      attempts.push(attempt);
      return Promise.resolve();
    },
    onAction: (action) => actions.push(action),
  });
  return { bad, attempts, actions };
}

test('an attempt, with what it was judged under', async () => {
  const line = {
    ...ATTEMPT,
    status: 'fail',
    reason: 'refused',
    state: 'suspect',
    confirmation: true,
    score: 2,
  };
  const { attempts, bad } = await read(line);
  expect(bad).toBe(0);
  expect(attempts).toEqual([
    {
      target: 'a',
      start: STARTED + 10_001.5,
      latencyMs: 1.5,
      status: 'fail',
      reason: 'refused',
      message: 'fine',
      state: 'suspect',
      session: STARTED,
      confirmation: true,
      score: 2,
    },
  ]);
});

test('a step of the wall clock is not in it, a new process is', async () => {
  const stepped = { ...ATTEMPT, time: '2026-01-01T00:00:25.003Z', start_ms: 20_001.5 };
  const next = { ...ATTEMPT, time: '2026-01-01T00:00:31.003Z', start_ms: 1_001.5 };
  const { attempts } = await read(ATTEMPT, stepped, { level: 'info', time: next.time, msg: 'started' }, next);
  expect(attempts.map(({ start }) => start - STARTED)).toEqual([10_001.5, 20_001.5, 31_001.5]);
  expect(attempts.map(({ session }) => session - STARTED)).toEqual([0, 0, 30_000]);
});

test('a log of an earlier version has the wall clock alone', async () => {
  const { start_ms: _, ...older } = ATTEMPT;
  const { attempts } = await read(older);
  expect(attempts[0]!.start).toBe(STARTED + 10_001.5);
});

test('void attempts and other lines are nothing, actions are, and what no agent has written is counted', async () => {
  const { attempts, actions, bad } = await read(
    { ...ATTEMPT, status: 'void' },
    { level: 'info', time: ATTEMPT.time, msg: 'hook', target: 'a' },
    { level: 'warn', time: ATTEMPT.time, msg: 'recovery begins', target: 'a', step: 'mend' },
    '',
    'Started vitald.service',
    '{"level":"debug","time":"2026-01-0',
    '{"msg":"attempt"}',
    { ...ATTEMPT, state: 'confused' },
    { ...ATTEMPT, status: 'fail', reason: 'bored' },
    { ...ATTEMPT, latency_ms: '1' },
  );
  expect(attempts).toEqual([]);
  expect(actions).toEqual([{ target: 'a', step: 'mend', at: STARTED + 10_003 }]);
  expect(bad).toBe(6);
});
