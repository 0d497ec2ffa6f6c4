import { describe, expect, test } from 'vitest';
import { EQUAL_LOAD } from '../../bench/detect/ours.ts';
import { HAPROXY, PEERS } from '../../bench/detect/peers.ts';
import { FAULTS, REGIMES, type Regime, mean, percentile, row, table } from '../../bench/detect/table.ts';
import { type FaultKind, anchorAnswers, attempt, createWorld } from '../../bench/detect/world.ts';
import { randomFrom } from '../support/random.ts';

const QUIET = createWorld({ loss: 0 }, 1, 1);

describe('the world', () => {
  test.each<[FaultKind, string, number]>([
    ['crash', 'explicit', 1],
    ['hang', 'silent', 2_000],
    ['dead host', 'path', 2_000],
  ])('%s is %s evidence', (kind, said, latency) => {
    const answer = attempt(QUIET, randomFrom(1), 500, 2_000, { kind, at: 0 });
    expect(answer).toEqual({ said, end: 500 + latency });
  });

  test('an error is an answer', () => {
    expect(attempt(QUIET, randomFrom(1), 0, 2_000, { kind: 'error', at: 0 }).said).toBe('explicit');
  });

  test('before the fault all is well', () => {
    expect(attempt(QUIET, randomFrom(1), 0, 2_000, { kind: 'hang', at: 60_000 }).said).toBe('ok');
  });

  test('a lost SYN is sent again after a second: a timeout of two forgives it', () => {
    const world = createWorld({ loss: 0.3 }, 1, 1);
    const random = randomFrom(2);
    const failed = (timeoutMs: number): number =>
      Array.from({ length: 2_000 }, () => attempt(world, random, 0, timeoutMs)).filter(
        ({ said }) => said === 'path',
      ).length;
    // 1 - 0.7^2 = 0.51 of the round trips are lost; two in a row a half of that.
    expect(failed(900) / 2_000).toBeCloseTo(0.51, 1);
    expect(failed(2_000) / 2_000).toBeCloseTo(0.26, 1);
  });

  test('a cut on our side takes the anchor along, one on the other side does not', () => {
    const world = createWorld({ loss: 0, bursts: { perHour: 60, meanMs: 60_000 } }, 100, 3);
    const times = Array.from({ length: 3_000 }, (_, index) => index * 100_000);
    const random = randomFrom(4);
    for (const at of times) expect(anchorAnswers(world, random, at, 500)).toBe(!world.isCutHere(at));
    expect(times.some((at) => world.isCut(at) && !world.isCutHere(at))).toBe(true);
  });
});

test('the same seed gives the same row', () => {
  expect(row(EQUAL_LOAD, 20, 20)).toEqual(row(EQUAL_LOAD, 20, 20));
});

test("HAProxy's defaults take as long as they do when they are measured: 5 s for a crash, 11 s for a hang", () => {
  const { detection } = row(HAPROXY, 1, 400);
  expect(mean(detection.crash) / 1_000).toBeCloseTo(5.0, 0);
  expect(percentile(detection.crash, 0.99)).toBeLessThan(6_100);
  expect(mean(detection.hang) / 1_000).toBeCloseTo(11.0, 0);
  expect(percentile(detection.hang, 0.99)).toBeLessThan(12_100);
});

describe("at the load of HAProxy's defaults", () => {
  const ours = row(EQUAL_LOAD, 400, 400);
  const theirs = row(HAPROXY, 400, 400);

  test('the load is the same', () => expect(ours.load / theirs.load).toBeCloseTo(1, 1));

  test('a crash is found in two thirds of the time', () => {
    expect(mean(ours.detection.crash)).toBeLessThan(0.67 * mean(theirs.detection.crash));
    expect(percentile(ours.detection.crash, 0.99)).toBeLessThan(percentile(theirs.detection.crash, 0.99));
  });

  test('a hang and a dead host take no longer', () => {
    expect(mean(ours.detection.hang)).toBeLessThan(1.02 * mean(theirs.detection.hang));
    expect(mean(ours.detection['dead host'])).toBeLessThan(1.02 * mean(theirs.detection['dead host']));
  });

  test.each(['loss 1%', 'loss 20%', 'bursts 6/h 1.5s', 'bursts 2/h 5s'] as const satisfies Regime[])(
    'no more false downs: %s',
    (regime) => expect(ours.falseDowns[regime]).toBeLessThanOrEqual(theirs.falseDowns[regime]),
  );
});

test('the table has a column for each rule and a row for each fault and regime', () => {
  const lines = table(PEERS.map((peer) => row(peer, 1, 5))).split('\n');
  for (const { name } of PEERS) expect(lines[0]).toContain(` ${name} |`);
  const columns = lines.map((line) => line.split('|').length);
  expect(new Set(columns)).toEqual(new Set([PEERS.length + 3]));
  const heads = lines.map((line) => line.split('|')[1]!.trim());
  expect(heads.slice(2)).toEqual(['probes/s', ...FAULTS, ...Object.keys(REGIMES)]);
});
