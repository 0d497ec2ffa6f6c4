import { describe, expect, test } from 'vitest';
import {
  type Calibration,
  type Day,
  NO_CALIBRATION,
  withBlip,
  withLook,
} from '../../src/core/calibration.ts';
import { type Contract, type Derivation, deriveRules, leastDetection } from '../../src/core/contract.ts';
import type { EvidenceClass } from '../../src/core/outcome.ts';
import type { Rules } from '../../src/core/target.ts';
import { parseDuration, parseRate } from '../../src/core/units.ts';
import { randomFrom } from '../support/random.ts';
import { aTarget } from '../support/targets.ts';

const DEFAULTS: Rules = { ...aTarget().rules, suspectAfter: 'auto' };
const DAY_MS = 86_400_000;

function contract(within: string, rate = '1/30d', written: Contract['written'] = { confirm: {} }): Contract {
  const { most, withinMs } = parseRate(rate)!;
  return { detectWithinMs: parseDuration(within)!, maxFalseDown: most / withinMs, written };
}

interface History {
  readonly cls: EvidenceClass;
  readonly days: number;
  readonly perDay: number;
  readonly meanMs: number;
  readonly windowMs?: number;
  readonly intervalMs?: number;
}

/** So many days with so many blips, exponential, of which the window lets those pass that are shorter. */
function lived({ cls, days, perDay, meanMs, windowMs = 60_000, intervalMs = 5_000 }: History): Calibration {
  const random = randomFrom(7);
  const heardMs = cls === 'explicit' ? 0 : 2_000;
  const confirm = { explicit: windowMs, silent: windowMs, path: windowMs };
  const one = (): Day => {
    let day = withLook(NO_CALIBRATION, DAY_MS - 1);
    for (let blip = 0; blip < perDay; blip++) {
      const lastedMs = -meanMs * Math.log(1 - random());
      day = withBlip(day, { cls, heardMs, lastedMs }, confirm);
    }
    return { ...day.days[0]!, looks: DAY_MS / intervalMs };
  };
  return { days: Array.from({ length: days }, one) };
}

function said({ rules, kept }: Derivation): string {
  const { explicit, silent, path } = rules.confirm;
  const seconds = [rules.intervalMs, explicit, silent, path].map((ms) => ms / 1_000);
  return `${seconds.join(' ')}${kept ? '' : ' not kept'}`;
}

describe('interval and windows, in seconds, without a history', () => {
  test.each([
    ['12s', '1/30d', '2 2 6 10'],
    ['15s', '1/30d', '5 2 6 10'],
    ['60s', '1/30d', '30 2 6 10'],
    ['10m', '1/30d', '60 2 6 10'],
    ['12s', '1/1d', '5 2 5 6.5'],
    ['30s', '1/365d', '15 2.7 7.3 13'],
    ['11s', '1/30d', '2 2 6 9 not kept'],
    ['7s', '1/30d', '2 2 5 5 not kept'],
  ])('%s, %s: %s', (within, rate, chosen) =>
    expect(said(deriveRules(contract(within, rate), NO_CALIBRATION, DEFAULTS))).toBe(chosen),
  );
});

describe('with one', () => {
  test.each<[string, History, string]>([
    ['60s', { cls: 'path', days: 30, perDay: 0, meanMs: 0 }, '30 2 5 5'],
    ['60s', { cls: 'path', days: 30, perDay: 20, meanMs: 1_500 }, '30 2 5 12'],
    ['60s', { cls: 'silent', days: 30, perDay: 40, meanMs: 2_000 }, '30 2 16 5'],
    ['60s', { cls: 'explicit', days: 30, perDay: 1, meanMs: 4_000 }, '30 11 5 5'],
    ['12s', { cls: 'silent', days: 30, perDay: 40, meanMs: 2_000 }, '2 2 10 5 not kept'],
  ])('%s and %o', (within, history, chosen) =>
    expect(said(deriveRules(contract(within), lived(history), DEFAULTS))).toBe(chosen),
  );

  test.each([500, 2_000, 5_000, 12_000])(
    'what a window of 12 s cut off is made up for: blips of %d ms on average',
    (meanMs) => {
      const cut = lived({ cls: 'path', days: 10, perDay: 300, meanMs, windowMs: 12_000 });
      const { blips } = deriveRules(contract('60s'), cut, DEFAULTS);
      expect(blips.path.meanMs).toBeGreaterThan(0.8 * meanMs);
      expect(blips.path.meanMs).toBeLessThan(1.4 * meanMs);
    },
  );

  test('blips that fall between two attempts are reckoned with where the interval is to be shorter', () => {
    const seldom = lived({ cls: 'path', days: 30, perDay: 10, meanMs: 1_000, intervalMs: 60_000 });
    const { blips, rules } = deriveRules(contract('30s'), seldom, DEFAULTS);
    expect(rules.intervalMs).toBe(20_000);
    expect(blips.path.rate * DAY_MS).toBeGreaterThan(28);
    expect(blips.path.rate * DAY_MS).toBeLessThan(32);
  });
});

test('what is written stands, and the rest is made to fit', () => {
  const written = { intervalMs: 3_000, confirm: { explicit: 500 } };
  const { rules, detectsWithinMs, kept } = deriveRules(
    contract('15s', '1/1d', written),
    NO_CALIBRATION,
    DEFAULTS,
  );
  expect(rules).toMatchObject({ intervalMs: 3_000, confirm: { explicit: 500, silent: 5_000 } });
  expect(detectsWithinMs).toBe(3_000 + rules.confirm.path);
  // Half a second rides over next to nothing.
  expect(kept).toBe(false);
});

describe('the least that there is to promise', () => {
  test.each<[Partial<Rules>, Contract['written'], number]>([
    [{}, { confirm: {} }, 7_000],
    [{ suspectAfter: 500 }, { confirm: {} }, 6_000],
    [{ failureThreshold: 1 }, { confirm: {} }, 4_000],
    [{ failureThreshold: 5 }, { confirm: {} }, 9_000],
    [{ timeoutMs: 500, retryIntervalMs: 200 }, { confirm: {} }, 1_700],
    [{}, { intervalMs: 5_000, confirm: {} }, 10_000],
    [{}, { confirm: { path: 10_000 } }, 12_000],
    [{}, { confirm: { explicit: 10_000 } }, 14_000],
  ])('%o with %o: %d ms', (rules, written, ms) =>
    expect(leastDetection({ written }, { ...DEFAULTS, ...rules }).ms).toBe(ms),
  );
});

describe('whatever the history', () => {
  const random = randomFrom(23);
  const between = (low: number, high: number): number => low * (high / low) ** random();
  const cases = Array.from({ length: 60 }, () => {
    const timeoutMs = Math.round(between(100, 5_000));
    const rules = {
      ...DEFAULTS,
      timeoutMs,
      retryIntervalMs: Math.round(between(timeoutMs / 8, 2 * timeoutMs)),
      failureThreshold: 1 + Math.floor(random() * 5),
    };
    const least = leastDetection({ written: { confirm: {} } }, rules).ms;
    const promise = {
      ...contract('1s', `${1 + Math.floor(random() * 3)}/${1 + Math.floor(random() * 90)}d`),
      detectWithinMs: Math.ceil(between(least, 20 * least)),
    };
    const cls = (['explicit', 'silent', 'path'] as const)[Math.floor(random() * 3)]!;
    const history = {
      cls,
      days: 2,
      perDay: Math.floor(between(1, 500)),
      meanMs: between(50, 30_000),
      intervalMs: 60_000,
    };
    return { rules, promise, calibration: lived(history) };
  });

  test('the time is kept, and with as much time as is said to be needed the rate is, too', () => {
    let notKept = 0;
    for (const { rules, promise, calibration } of cases) {
      const chosen = deriveRules(promise, calibration, rules);
      expect(chosen.detectsWithinMs).toBeLessThanOrEqual(promise.detectWithinMs);
      expect(chosen.rules.intervalMs).toBeGreaterThanOrEqual(rules.timeoutMs);
      expect(chosen.kept).toBe(chosen.falseDown <= promise.maxFalseDown);
      if (chosen.kept) continue;
      notKept++;
      const enough = { ...promise, detectWithinMs: chosen.neededMs };
      expect(deriveRules(enough, calibration, rules).kept).toBe(true);
    }
    expect(notKept).toBeGreaterThan(5);
    expect(notKept).toBeLessThan(55);
  });

  test('who has more time is asked no more often; who allows fewer mistakes is not found down sooner', () => {
    for (const { rules, promise, calibration } of cases) {
      const chosen = deriveRules(promise, calibration, rules);
      const patient = { ...promise, detectWithinMs: 2 * promise.detectWithinMs };
      const strict = { ...promise, maxFalseDown: promise.maxFalseDown / 10 };
      expect(deriveRules(patient, calibration, rules).rules.intervalMs).toBeGreaterThanOrEqual(
        chosen.kept ? chosen.rules.intervalMs : 0,
      );
      expect(deriveRules(strict, calibration, rules).falseDown).toBeLessThanOrEqual(chosen.falseDown);
    }
  });
});
