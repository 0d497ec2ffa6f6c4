import { type Calibration, NO_CALIBRATION } from './calibration.ts';
import { type Evidence, type Run } from './evidence.ts';
import { type Health, forgiven, unknownHealth } from './health.ts';
import { incidentId } from './incident.ts';
import { NO_QUANTILE, type Quantile } from './quantile.ts';
import { type LatencyEstimate, NO_ESTIMATE } from './suspicion.ts';
import type { Target } from './target.ts';

/** What is known of a target. */
export interface Memory {
  readonly health: Health;
  readonly attempts: number;
  readonly missed: number;
  readonly estimate: LatencyEstimate;
  /** Its latencies. */
  readonly usual: Quantile;
  /** Its blips, where it has a contract. */
  readonly calibration: Calibration;
}

/**
 * The same, to be kept: JSON. What was monotonic ms is an age, ms before it was saved: evidence goes on after a restart,
 * and the time in which nobody looked is no part of it. Null, and Infinity before it has become JSON: never.
 */
export interface SavedTarget {
  readonly state: Health['state'];
  readonly since: number;
  readonly incident: string | null;
  readonly health: Health;
  readonly attempts: number;
  readonly missed: number;
  readonly estimate: LatencyEstimate;
  readonly usual: Quantile;
  /** What it was asked. */
  readonly probe: string;
}

export function nothingKnown(wallTime: number): Memory {
  return {
    health: unknownHealth(wallTime),
    attempts: 0,
    missed: 0,
    estimate: NO_ESTIMATE,
    usual: NO_QUANTILE,
    calibration: NO_CALIBRATION,
  };
}

/** At `now`, monotonic ms. */
export function saved(
  { calibration: _itsOwnTable, ...memory }: Memory,
  { name, probeFingerprint }: Target,
  now: number,
): SavedTarget {
  const { state, since, incidentAt } = memory.health;
  return {
    state,
    since,
    incident: incidentAt === null ? null : incidentId(name, incidentAt),
    ...memory,
    health: turned(memory.health, now),
    probe: probeFingerprint,
  };
}

/** What still holds of it at `now`, monotonic ms. */
export function remembered(kept: SavedTarget, target: Target, now: number): Memory {
  const { state: _state, since, incident: _incident, probe, ...known } = kept;
  // An earlier version has not known all of it.
  const nothing = nothingKnown(since);
  const health = turned({ ...turned(nothing.health, now), ...known.health }, now);
  const memory = { ...nothing, ...known, health };
  return probe === target.probeFingerprint ? memory : askedOtherwise(memory);
}

/** Once something else is asked: what was told of it and its incident stay, what was counted does not. */
export function askedOtherwise({ health, attempts, missed }: Memory): Memory {
  return { ...nothingKnown(0), health: { ...forgiven(health), successes: 0 }, attempts, missed };
}

/**
 * Whether it would matter if the second were lost. That it is up once more would not; that it has failed, has answered,
 * or that something was told, would.
 */
export function isNews(before: Health, after: Health): boolean {
  return (
    before.state !== after.state ||
    before.evidence !== after.evidence ||
    before.successes !== after.successes ||
    before.incidentAt !== after.incidentAt ||
    before.told !== after.told ||
    before.flaps !== after.flaps ||
    before.degradation.because !== after.degradation.because ||
    before.degradation.clean !== after.degradation.clean
  );
}

/** From times to ages, and from ages to times: both are `now - x`. */
function turned(health: Health, now: number): Health {
  const turn = (time: number | null): number => (time === null ? -Infinity : now - time);
  const turnRun = (run: Run | null): Run | null => run && { ...run, since: turn(run.since) };
  const { evidence, recent, flaps } = health;
  const turnedEvidence: Evidence = {
    ...evidence,
    explicit: turnRun(evidence.explicit),
    silent: turnRun(evidence.silent),
    path: turnRun(evidence.path),
  };
  return {
    ...health,
    evidence: turnedEvidence,
    judgedAt: turn(health.judgedAt),
    recent: recent.map((one) => ({ ...one, startedAt: turn(one.startedAt) })),
    flaps: { ...flaps, at: turn(flaps.at), changedAt: turn(flaps.changedAt) },
  };
}

/** A health that was kept at one time and is gone on with at another: ages stay as they are. Monotonic ms. */
export function laidAside(health: Health, from: number, to: number): Health {
  return turned(turned(health, from), to);
}
