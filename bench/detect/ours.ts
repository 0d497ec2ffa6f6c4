import {
  type Calibration,
  NO_CALIBRATION,
  type Suspicion,
  followed,
  withBlip,
  withLook,
} from '../../src/core/calibration.ts';
import { type Contract, deriveRules } from '../../src/core/contract.ts';
import { NO_DOUBT } from '../../src/core/doubt.ts';
import { RULE_DEFAULTS } from '../../src/config/schema.ts';
import { type Health, judge, unknownHealth } from '../../src/core/health.ts';
import { type Attempt, type EvidenceClass, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import { type Standing, isConfirming, nextStart } from '../../src/core/plan.ts';
import { firstDue } from '../../src/core/schedule.ts';
import { NO_ESTIMATE, suspicionPoint, withLatency } from '../../src/core/suspicion.ts';
import type { Rules } from '../../src/core/target.ts';
import type { Detector, Watched, Watching } from './detector.ts';
import { type Answer, anchorAnswers, attempt } from './world.ts';

const NAME = 'simulated';
const OUTCOMES: Readonly<Record<Answer['said'], Outcome>> = {
  ok: ok('ok'),
  explicit: fail('refused', 'explicit'),
  silent: fail('timeout', 'silent'),
  path: fail('connect_timeout', 'path'),
};

const DEFAULTS: Rules = {
  intervalMs: RULE_DEFAULTS.interval,
  timeoutMs: RULE_DEFAULTS.timeout,
  retryIntervalMs: RULE_DEFAULTS.retry_interval,
  failureThreshold: RULE_DEFAULTS.failure_threshold,
  successThreshold: RULE_DEFAULTS.success_threshold,
  confirm: RULE_DEFAULTS.confirm,
  suspectAfter: RULE_DEFAULTS.suspect_after,
  slowAfter: RULE_DEFAULTS.slow_after,
  degradedThreshold: RULE_DEFAULTS.degraded_threshold,
  restoredThreshold: RULE_DEFAULTS.restored_threshold,
};
/** As many probes a second as HAProxy's defaults, and for a hang a window as long as its three timeouts and two waits. */
const FAST: Rules = {
  ...DEFAULTS,
  intervalMs: 2_000,
  confirm: { explicit: 2_000, silent: 10_000, path: 10_000 },
  suspectAfter: 'off',
};

interface Flight {
  readonly start: number;
  readonly onGrid: boolean;
  readonly answer: Answer;
}

export const UNANCHORED = vitald('vitald defaults, no anchor', DEFAULTS, { anchor: false });
export const ANCHORED = vitald('vitald defaults', DEFAULTS, { anchor: true });
export const EQUAL_LOAD = vitald('vitald at the load of HAProxy', FAST, { anchor: true });

/** The agent's own rules, as they stand in src/core, driven by simulated time instead of the clock. */
function vitald(name: string, rules: Rules, { anchor }: { readonly anchor: boolean }): Detector {
  return { name, watch: (watching) => watch(rules, anchor, watching) };
}

/** One that derives its interval and windows, hourly, from what it sees. */
export function promising(name: string, contract: Contract, learned = NO_CALIBRATION): Promising {
  let calibration = learned;
  const keep = (next: Calibration): void => {
    calibration = next;
  };
  return {
    name,
    calibration: () => calibration,
    watch: (watching) => watch(DEFAULTS, true, watching, { contract, calibration: learned, keep }),
  };
}

export const PROMISED = promising('vitald, 15s and 1/30d', {
  detectWithinMs: 15_000,
  maxFalseDown: 1 / (30 * 86_400_000),
  written: { confirm: {} },
});

export interface Promising extends Detector {
  /** What it has learned when it last watched. */
  calibration(): Calibration;
}

interface Learning {
  readonly contract: Contract;
  readonly calibration: Calibration;
  readonly keep: (calibration: Calibration) => void;
}

const RECALCULATE_MS = 3_600_000;

function watch(
  written: Rules,
  anchor: boolean,
  { world, random, untilMs, fault }: Watching,
  learning?: Learning,
): Watched {
  let calibration = learning?.calibration ?? NO_CALIBRATION;
  let suspicion: Suspicion | null = null;
  let rules = learning ? deriveRules(learning.contract, calibration, written).rules : written;
  let derivedAt = 0;
  const epoch = random() * rules.intervalMs;
  let health: Health = unknownHealth(0);
  let estimate = NO_ESTIMATE;
  let latest = { due: -Infinity, startedAt: -Infinity };
  let flights: Flight[] = [];
  let suspected = false;
  let suspicionAt = Infinity;
  let onGrid = true;
  let startAt = firstDue(NAME, rules.intervalMs, epoch, 0);
  let falseDowns = 0;
  let attempts = 0;

  const standing = (now: number): Standing => ({
    name: NAME,
    rules,
    health,
    suspected,
    held: false,
    stretch: 1,
    active: flights.length,
    latest,
    epoch,
    now,
  });
  function plan(now: number): void {
    const next = nextStart(standing(now));
    startAt = next?.due ?? Infinity;
    onGrid = next?.onGrid ?? false;
  }

  function begin(now: number): void {
    attempts++;
    latest = { due: startAt, startedAt: now };
    startAt = Infinity;
    flights.push({ start: now, onGrid, answer: attempt(world, random, now, rules.timeoutMs, fault) });
    flights.sort((a, b) => a.answer.end - b.answer.end);
    if (isConfirming(standing(now))) plan(now);
    else if (rules.suspectAfter !== 'off') {
      const after =
        rules.suspectAfter === 'auto' ? suspicionPoint(estimate, rules.timeoutMs) : rules.suspectAfter;
      suspicionAt = after < rules.timeoutMs ? now + after : Infinity;
    }
  }

  /** True where it is a verdict of down. */
  function conclude({ start, onGrid: regular, answer: { said, end } }: Flight): boolean {
    suspected = false;
    suspicionAt = Infinity;
    if (said === 'ok') estimate = withLatency(estimate, end - start);
    const before = health;
    const { transition, ...judged } = judge(health, settledAttempt(start, end, said), {
      target: NAME,
      rules,
      slowMs: null,
      regular,
      hushed: false,
      unreachable: false,
      unverified: false,
      doubt: NO_DOUBT,
      pathWorks:
        !anchor || said !== 'path' || anchorAnswers(world, random, end - rules.timeoutMs, rules.timeoutMs),
      at: end,
    });
    ({ health } = judged);
    if (learning) learn(learning, settledAttempt(start, end, said), before);
    plan(end);
    return transition?.event === 'down';
  }

  function learn({ contract, keep }: Learning, attempt: Attempt, before: Health): void {
    const seen = followed(suspicion, { attempt, before, after: health, clear: true });
    ({ suspicion } = seen);
    if (seen.blip) calibration = withBlip(calibration, seen.blip, rules.confirm);
    if (before.state !== 'up' || health.state !== 'up') return;
    calibration = withLook(calibration, rules.intervalMs);
    const now = attempt.startedAt + attempt.latencyMs;
    if (now - derivedAt < RECALCULATE_MS) return;
    derivedAt = now;
    ({ rules } = deriveRules(contract, calibration, written));
    keep(calibration);
  }

  for (;;) {
    const endsAt = flights[0]?.answer.end ?? Infinity;
    const now = Math.min(startAt, endsAt, suspicionAt);
    if (now >= untilMs) return { falseDowns, attempts };
    if (now === endsAt) {
      const flight = flights[0]!;
      flights = flights.slice(1);
      if (!conclude(flight)) continue;
      if (fault && now >= fault.at) return { detectedMs: now - fault.at, falseDowns, attempts };
      falseDowns++;
    } else if (now === suspicionAt) {
      suspicionAt = Infinity;
      suspected = true;
      if (isConfirming(standing(now))) {
        startAt = now;
        onGrid = false;
      }
    } else begin(now);
  }
}

function settledAttempt(startedAt: number, end: number, said: 'ok' | EvidenceClass): Attempt {
  return {
    outcome: OUTCOMES[said],
    number: 1,
    at: 0,
    startedAt,
    latencyMs: end - startedAt,
    phases: {},
  };
}
