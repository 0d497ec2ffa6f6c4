import type { ActionRow } from '../core/action.ts';
import { coolDown } from '../core/brakes.ts';
import type { Clock } from '../core/clock.ts';
import { gated, holds, whyOver } from '../core/holds.ts';
import type { Health, State } from '../core/health.ts';
import { incidentId } from '../core/incident.ts';
import { acknowledged, attemptsOf, climbed, givenUp, watched } from '../core/ladder.ts';
import type { Attempt } from '../core/outcome.ts';
import type { RecoveryReport, RecoveryStanding } from '../core/recovery.ts';
import type { Redact } from '../core/redact.ts';
import type { Step, StepRegistry } from '../core/step.ts';
import type { Store } from '../core/store.ts';
import type { Target } from '../core/target.ts';
import { actionOf, intentOf } from './action.ts';
import { createAlarms } from './alarms.ts';
import { createGroups } from './groups.ts';
import { createLedger } from './ledger.ts';
import { type RecoveryRules, type RecoveryWatch, type SightOf, createSight } from './sight.ts';
import { type Transaction, runTransaction } from './transaction.ts';

/** Who may be acted on, when, and by which step. */
export interface Recovery {
  apply(targets: readonly Target[], rules: RecoveryRules): void;
  /** After each attempt that was judged. */
  onAttempt(target: Target, attempt: Attempt, health: Health): void;
  /** How a target stands; undefined where it has no ladder. */
  standing(target: string): RecoveryStanding | undefined;
  /** Somebody has looked: the ladder is armed anew, and a panic of its group holds nothing any more. */
  acknowledge(target: string, by: string): boolean;
  /** Its action has begun, or may have, and what that came to is not verified yet. */
  isActing(target: string): boolean;
  /** A step of its ladder has taken it out of traffic, for as long as the ladder remembers. */
  isWithdrawn(target: string): boolean;
  /** For all targets, also after a restart, until it is switched on again; null switches it on. */
  switchOff(why: string | null, by: string): void;
  off(): string | null;
  /** Takes nothing more; actions that run have so long, ms. */
  stop(graceMs: number): Promise<void>;
}

export interface RecoveryOptions {
  readonly steps: StepRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: Store;
  readonly redact: Redact;
  /** What enforces does all but the command itself. */
  readonly isDryRun: boolean;
  readonly watch: RecoveryWatch;
  /** Until when its traffic is let go first, monotonic ms; null: nobody asks for that. */
  readonly drainsUntil?: (target: Target) => number | null;
  /** Why somebody outside holds all of it back now; null where nobody does. */
  readonly offBy: () => string | null;
  readonly onReport: (report: RecoveryReport) => void;
}

export function createRecovery(options: RecoveryOptions): Recovery {
  const { clock, random, store, watch, offBy, onReport } = options;
  const ledger = createLedger(store, clock);
  const states = new Map<string, State>();
  const groups = createGroups({ ...options, stateOf: (name) => states.get(name), onPanic: onReport });
  const running = new Map<string, Transaction>();
  const failures = new Map<string, Attempt>();
  /** The gates that were told of last, by target: each change is told once. */
  const told = new Map<string, string>();
  const alarms = createAlarms(clock, watch.ask);
  let targets: ReadonlyMap<string, Target> = new Map();
  let rules: RecoveryRules;
  let stopping = false;
  const off = (): string | null => ledger.off() ?? offBy();
  const sight = createSight({ ...options, ledger, groups, running, failures, rules: () => rules, off });

  function incidentOf({ name }: Target): string {
    return incidentId(name, watch.look(name)?.health.incidentAt ?? 0);
  }

  function sayArmed(target: Target, why: string): void {
    onReport({ what: 're_armed', target: target.name, incident: incidentOf(target), why });
  }

  /** Begins an action where nothing holds it back; says so where that changes. */
  function consider(target: Target): void {
    const seen = sight.of(target);
    if (giveUp(target, seen)) return;
    const held = holds(seen, rules.brakes);
    const gates = held.map(({ gate }) => gate).join(' ');
    if (held.length > 0 && told.get(target.name) !== gates) {
      told.set(target.name, gates);
      onReport({ what: 'held', target: target.name, incident: incidentOf(target), holds: held });
    }
    if (held.length > 0) alarms.set(target, held);
    else if (typeof seen.rung === 'object') begin(target, seen.rung, seen.group.name);
  }

  function giveUp(target: Target, seen: SightOf): boolean {
    const why = whyOver(seen, rules.brakes);
    if (why === null || seen.climb.gaveUp !== null || gated(seen).length > 0) return false;
    ledger.setClimb(target.name, seen.mode, givenUp(ledger.climb(target.name, seen.mode), why));
    onReport({ what: 'gave_up', target: target.name, incident: incidentOf(target), mode: seen.mode, why });
    return true;
  }

  function begin(target: Target, step: Step, group: string, left?: ActionRow): void {
    const { name, policy } = target;
    const mode = left?.mode ?? sight.modeOf(target);
    const veto = policy.veto === null ? undefined : rules.ladders.get(policy.veto)?.[0];
    const incident = left?.incident ?? incidentOf(target);
    let before = ledger.climb(name, mode);
    const transaction: Transaction = runTransaction({
      ...options,
      rules: {
        vets: veto !== undefined,
        settleMs: step.settleMs,
        verify: policy.verify,
        spacingMs: target.rules.retryIntervalMs,
        cancelOnUp: step.cancelOnUp,
      },
      step,
      veto: veto ?? null,
      isDry: mode === 'dry_run',
      ...(left && { left }),
      action: () =>
        actionOf(target, {
          incident,
          step,
          nth: (ledger.climb(name, mode).used[step.name] ?? 0) + 1,
          health: watch.look(name)!.health,
          failure: failures.get(name)!,
          at: clock.wallTime(),
        }),
      intentOf: (action, what) => intentOf(action, step, { group, mode, what }),
      ask: () => watch.ask(name),
      isDoubtful: () => watch.doubt().doubtful,
      held: () => sight.held(target, true),
      async intend(row) {
        before = ledger.climb(name, mode);
        const coolUntil = clock.now() + coolDown(attemptsOf(before) + 1, random(), rules.brakes);
        ledger.write(row);
        ledger.setClimb(name, mode, climbed(before, step.name, coolUntil));
        if (await ledger.commit()) return null;
        return `the store did not take the intent: ${store.status().trouble ?? 'it is too slow'}`;
      },
      onRow(what, row) {
        if (what === 'acted') ledger.write(row);
        else told.delete(name);
        onReport({ what, target: name, incident, action: row });
      },
      onEnd(end) {
        const row = ledger.close(end);
        running.delete(name);
        // It takes nothing from the budgets. Who has just forbidden it is not asked again at once.
        const coolUntil =
          row.outcome === 'vetoed' ? clock.now() + coolDown(1, random(), rules.brakes) : before.coolUntil;
        const back = { used: before.used, coolUntil };
        if (!row.counted) ledger.setClimb(name, mode, { ...ledger.climb(name, mode), ...back });
        if (row.outcome === 'cancelled') onReport({ what: 'refused', target: name, incident, why: row.why });
        else onReport({ what: 'outcome', target: name, incident, action: row });
        // Whoever waits for it to be verified learns it now.
        if (watch.look(name)?.health.state === 'recovering') watch.ask(name);
      },
      onNothing: () => running.delete(name),
    });
    running.set(name, transaction);
  }

  /** Intents that the last process has left behind: what they came to, the probe decides. */
  function takeUp(): void {
    for (const row of ledger.unfinished()) {
      const target = targets.get(row.target);
      const step = target && sight.ladderOf(target).find(({ name }) => name === row.step);
      if (target && step) begin(target, step, row.group, row);
      else {
        const why = 'the target or the step is gone from the configuration';
        ledger.write({ ...row, outcome: 'inconclusive', why, decided: clock.wallTime() });
      }
    }
  }

  function enforcedOn(name: string, isSo: (target: Target) => boolean): boolean {
    const target = targets.get(name);
    return target !== undefined && sight.modeOf(target) === 'enforce' && isSo(target);
  }

  function climbOn(target: Target, { state }: Health): void {
    const mode = sight.modeOf(target);
    const climb = ledger.climb(target.name, mode);
    const next = watched(climb, state, clock.now());
    if (next === climb) return;
    ledger.setClimb(target.name, mode, next);
    if (climb.gaveUp === null || next.gaveUp !== null) return;
    sayArmed(target, 'it stayed up');
  }

  return {
    apply(next, nextRules) {
      targets = new Map(next.filter(({ recover }) => recover.length > 0).map((one) => [one.name, one]));
      rules = nextRules;
      groups.apply(next);
      for (const [name, transaction] of running) {
        if (!targets.has(name)) transaction.cancel('the target is gone');
      }
      takeUp();
    },
    onAttempt(member, attempt, health) {
      const { name } = member;
      const isNew = states.get(name) !== health.state;
      states.set(name, health.state);
      if (isNew) sight.lookAfter(member);
      const target = targets.get(name);
      if (!target || stopping) return;
      if (health.state === 'up') {
        told.delete(name);
        alarms.clear(name);
      }
      const isFailure = attempt.outcome.status === 'fail';
      if (isFailure) failures.set(name, attempt);
      climbOn(target, health);
      const transaction = running.get(name);
      if (transaction) {
        const isBlind = isFailure && watch.doubt().doubtful;
        transaction.attempt(attempt, isBlind, () => sight.held(target, false));
      } else if (isFailure && health.state === 'down') consider(target);
    },
    standing(name) {
      const target = targets.get(name);
      return target && watch.look(name) ? sight.standing(target) : undefined;
    },
    acknowledge(name, by) {
      const target = targets.get(name);
      if (!target) return false;
      const mode = sight.modeOf(target);
      ledger.setClimb(name, mode, acknowledged(ledger.climb(name, mode), clock.now()));
      groups.acknowledge(groups.nameOf(target));
      sayArmed(target, `acknowledged by ${by}`);
      return true;
    },
    isActing: (name) => enforcedOn(name, sight.isActive),
    isWithdrawn: (name) => enforcedOn(name, sight.isWithdrawn),
    switchOff(why, by) {
      ledger.setOff(why);
      onReport({ what: why === null ? 'on' : 'off', by });
    },
    off,
    async stop(graceMs) {
      stopping = true;
      alarms.stop();
      await Promise.all([...running.values()].map((one) => one.stop(graceMs)));
    },
  };
}
