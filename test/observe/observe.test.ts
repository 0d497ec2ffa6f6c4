import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type LogRecord, renderRecord } from '../../src/cli/terminal-log.ts';
import { NO_CALIBRATION } from '../../src/core/calibration.ts';
import { type Contract, deriveRules } from '../../src/core/contract.ts';
import { unknownHealth } from '../../src/core/health.ts';
import type { Observer } from '../../src/core/observer.ts';
import { ok } from '../../src/core/outcome.ts';
import type { OpenWindow, Pause } from '../../src/core/pause.ts';
import { createCounters } from '../../src/observe/counters.ts';
import { createLogObserver } from '../../src/observe/log.ts';
import { DOWN } from '../support/hook-events.ts';
import { circumstances } from '../support/circumstances.ts';
import { aTarget } from '../support/targets.ts';

const ATTEMPT = { outcome: ok('fine'), number: 1, at: 0, startedAt: 0, latencyMs: 1.23456, phases: {} };

test('counters: attempts by status, missed starts, hooks, and the lateness of starts', () => {
  const counters = createCounters();
  const target = aTarget();
  for (let ms = 0; ms < 100; ms++) counters.onStart?.(target, ms + 0.5);
  counters.onStart?.(target, 99_999);
  counters.onStart?.(target, -0.5);
  counters.onAttempt?.(target, ATTEMPT, unknownHealth(0), null, circumstances());
  counters.onMissed?.(target, 3);
  expect(counters.totals()).toEqual({
    attempts: { ok: 1, warn: 0, fail: 0, void: 0 },
    missed: 3,
    lateness: { p50: 49, p99: 99, max: 10_000 },
    hooks: { ok: 0, failed: 0 },
    beats: { accepted: 0, ignored: 0, refused: 0 },
  });
  expect(createCounters().totals().lateness).toEqual({ p50: 0, p99: 0, max: 0 });
});

test('single attempts are logged at debug only', () => {
  for (const [level, lines] of [
    ['info', 0],
    ['debug', 1],
  ] as const) {
    const written: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    });
    createLogObserver(pino({ level }, stream)).onAttempt?.(
      aTarget(),
      ATTEMPT,
      unknownHealth(0),
      'nobody is told: paused',
      circumstances({ regular: false }),
    );
    expect(written.length).toBe(lines);
    if (lines > 0)
      expect(JSON.parse(written[0]!)).toMatchObject({
        msg: 'attempt',
        status: 'ok',
        latency_ms: 1.235,
        start_ms: 0,
        confirmation: true,
        held: 'nobody is told: paused',
      });
  }
});

test('the terminal log obeys no control character of a target', () => {
  const record: LogRecord = {
    level: 'error',
    time: '2026-01-01T00:00:00.000Z',
    msg: 'transition',
    target: 'a\u001b[2J',
    from: 'suspect',
    to: 'down',
    reason: 'mismatch',
    message: 'got \u001b]0;owned\u0007\nfake line',
    incident: 'a-1',
  };
  const line = renderRecord(record, (_format, text) => text);
  expect(line).toMatch(/✗ a {2,}down +mismatch: got +fake line \(incident a-1\)$/);
});

test('what is told of a target is a line like the others', () => {
  const record: LogRecord = {
    msg: 'news',
    time: '2026-01-01T00:00:00.000Z',
    level: 'info',
    target: 'a',
    event: 'degraded',
    message: 'slow: 812ms,\u001b[2J more than 300ms',
  };
  const line = renderRecord(record, (_format, text) => text);
  expect(line).toMatch(/• a {2,}told +degraded: slow: 812ms, ?\S* more than 300ms$/);
});

const PAUSE: Pause = {
  scope: { target: 'web-1' },
  reason: 'deploy 4.2',
  by: 'ann@host',
  at: 0,
  until: Date.UTC(2026, 0, 1, 12, 30),
  endsAt: 0,
  untilHealthy: true,
  healing: {},
  released: new Set(),
};

const WINDOW: OpenWindow = {
  reason: 'patches',
  targets: new Set(['a', 'b']),
  groups: new Set(),
  from: 0,
  until: Date.UTC(2026, 0, 1, 12, 30),
};

test.each<[(observer: Observer) => void, object, RegExp]>([
  [
    (observer) => observer.onPause?.(PAUSE, null),
    {
      msg: 'paused',
      target: 'web-1',
      by: 'ann@host',
      until: '2026-01-01T12:30:00.000Z',
      until_healthy: true,
    },
    /• web-1 is paused until \d\d:\d\d:00 by ann@host: deploy 4.2$/,
  ],
  [
    (observer) => observer.onPause?.({ ...PAUSE, scope: { group: 'web' } }, 'healthy'),
    { msg: 'pause over', group: 'web', because: 'healthy', reason: 'deploy 4.2' },
    /• group web is not paused any more \(healthy\): deploy 4.2$/,
  ],
  [
    (observer) => observer.onPause?.({ ...PAUSE, scope: { all: true } }, 'time'),
    { msg: 'pause over', all: true },
    /• everything is not paused any more \(time\): deploy 4.2$/,
  ],
  [
    (observer) => observer.onMaintenance?.(WINDOW, true),
    { msg: 'maintenance begins', targets: 2, until: '2026-01-01T12:30:00.000Z' },
    /• maintenance of 2 targets until \d\d:\d\d:00: patches$/,
  ],
  [
    (observer) => observer.onMaintenance?.(WINDOW, false),
    { msg: 'maintenance over', reason: 'patches' },
    /• maintenance is over: patches$/,
  ],
])('pauses and maintenance are logged, and told in words: %#', (tell, fields, text) => {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  tell(createLogObserver(pino({ formatters: { level: (level) => ({ level }) } }, stream)));
  const record = { ...JSON.parse(written[0]!), time: '2026-01-01T00:00:00.000Z' } as LogRecord;
  expect(record).toMatchObject({ level: 'info', ...fields });
  expect(renderRecord(record, (_format, words) => words)).toMatch(text);
});

test.each<[string, number, object, string]>([
  [
    'info',
    12_000,
    { kept: true, interval: '2s', false_down: '1/30d10h', detects_within: '12s' },
    'asked every 2s, down after 2s, 6s, 10s: found within 12s, a false one 1/30d10h (nothing is measured yet)',
  ],
  [
    'warn',
    10_000,
    { kept: false, interval: '2s', false_down: '1/10d7h', needs: '12s' },
    'cannot be kept: asked every 2s, down after 2s, 6s, 8s, a false one 1/10d7h (nothing is measured yet); 1/30d takes detect_within 12s',
  ],
])('what a contract comes to is told at %s: %d ms', (level, detectWithinMs, fields, text) => {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const formatters = { level: (label: string) => ({ level: label }) };
  const contract: Contract = {
    detectWithinMs,
    maxFalseDown: 1 / (30 * 86_400_000),
    written: { confirm: {} },
  };
  const target = aTarget({ contract });
  createLogObserver(pino({ formatters }, stream)).onContract?.(
    target,
    deriveRules(contract, NO_CALIBRATION, target.rules),
  );
  const record = { ...JSON.parse(written[0]!), time: '2026-01-01T00:00:00.000Z' } as LogRecord;
  expect(record).toMatchObject({ level, msg: 'contract', target: 't', ...fields });
  expect(renderRecord(record, (_format, words) => words)).toContain(` contract   ${text}`);
});

test('a delivery that is tried for hours is told now and then', () => {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const observer = createLogObserver(pino({}, stream));
  const wait = { target: 'orders', hook: 'chat', kind: 'slack', event: DOWN, detail: 'status 503' };
  for (let tries = 1; tries <= 80; tries++) {
    observer.onHookRetry?.({ ...wait, tries, pauseMs: 300_000, deliveries: tries === 2 ? 30 : 1 });
  }
  const records = written.map((line) => JSON.parse(line) as LogRecord);
  expect(records.map(({ tries }) => tries)).toEqual([1, 2, 4, 8, 16, 32, 64]);
  expect(records[1]).toMatchObject({
    level: 40,
    msg: 'hook waits',
    event_id: DOWN.id,
    next_ms: 300_000,
    deliveries: 30,
  });
  expect(renderRecord({ ...records[1]!, time: '2026-01-01T00:00:00.000Z' }, (_format, text) => text)).toMatch(
    /! orders {2,}hook +chat \(slack, on down\) failed after 2 tries, again in 5m: status 503$/,
  );
});
