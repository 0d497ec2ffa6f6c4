import type { ActionRow } from '../core/action.ts';
import type { Health } from '../core/health.ts';
import { patienceFor } from '../core/held.ts';
import { type Recorded, endOf } from '../core/recorded.ts';
import { type Replayed, attemptOf, replayed } from '../core/replay.ts';
import type { Redact } from '../core/redact.ts';
import type { StepRegistry } from '../core/step.ts';
import type { Store } from '../core/store.ts';
import type { Target } from '../core/target.ts';
import { createRecordedClock } from './recorded-clock.ts';
import { type Recovery, createRecovery } from './recovery.ts';
import type { RecoveryRules } from './sight.ts';

/** A policy, run over what was recorded: detection and recovery as the agent has them, and nothing is done. */
export interface Rehearsal {
  /** Attempts of all targets, in the order in which they ended. */
  see(attempt: Recorded): Promise<void>;
  of(target: string): Replayed | undefined;
  /** Those that would have been begun, in their order. */
  actions(): readonly ActionRow[];
  gaveUp(): readonly { readonly target: string; readonly why: string }[];
}

export interface RehearsalOptions {
  readonly targets: readonly Target[];
  readonly rules: RecoveryRules;
  readonly steps: StepRegistry;
  /** It has to be empty, and forgets. */
  readonly store: Store;
  readonly redact: Redact;
}

export function createRehearsal({ targets, rules, steps, store, redact }: RehearsalOptions): Rehearsal {
  const byName = new Map(targets.map((target) => [target.name, target]));
  // Nobody is asked for anything: whoever forbids an action would have to be asked in earnest.
  const unvetoed = targets.map((one) => ({ ...one, policy: { ...one.policy, veto: null } }));
  const clock = createRecordedClock(-Infinity);
  const histories = new Map<string, Replayed>();
  const begun = new Map<string, ActionRow>();
  const gaveUp: { target: string; why: string }[] = [];
  let session: number | undefined;
  let doubtful = false;
  let recovery: Recovery;

  /** A process of the agent begins: what waits is lost with the one before, and its ledger goes on. */
  function restart(attempt: Recorded): void {
    ({ session } = attempt);
    clock.clear();
    clock.moveTo(Math.min(session, attempt.start));
    recovery = createRecovery({
      steps,
      clock,
      // The middle of every jitter.
      random: () => 0.5,
      store,
      redact,
      isDryRun: true,
      watch: {
        look(name) {
          const { health, last } = histories.get(name) ?? {};
          if (!health || !last) return undefined;
          const hushed = last.hushed ? 'it was paused' : null;
          return { health, hushed, unreachable: isUnreachable(byName.get(name)!, last) };
        },
        health: (name) => histories.get(name)?.health,
        // The record has the attempts that it has.
        ask: () => {},
        doubt: () => ({ doubtful }),
        pausedAt: () => -Infinity,
      },
      offBy: () => null,
      onReport(report) {
        if (report.what === 'begins' || report.what === 'outcome')
          if (report.what === 'begins' || begun.has(report.action.id))
            begun.set(report.action.id, report.action);
        if (report.what === 'gave_up') gaveUp.push(report);
      },
    });
    recovery.apply(unvetoed, rules);
  }

  /** By what became of the targets that it depends on; as it was then, where one of them is not on record. */
  function isUnreachable({ dependsOn }: Target, attempt: Recorded): boolean {
    const states = dependsOn.map((name) => histories.get(name)?.health.state);
    if (states.includes(undefined)) return attempt.unreachable === true;
    return states.some((state) => state === 'suspect' || state === 'down' || state === 'recovering');
  }

  function patienceWith({ dependsOn }: Target): number | null {
    const parents = dependsOn.flatMap((name) => byName.get(name) ?? []);
    return parents.length === 0 ? null : patienceFor(parents);
  }

  /** What waits for a promise goes on before the next attempt. */
  async function settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function act(target: Target, attempt: Recorded, health: Health): Promise<void> {
    recovery.onAttempt(target, attemptOf(attempt), health);
    if (attempt.status === 'fail' && target.recover.length > 0) await settle();
  }

  return {
    async see(attempt) {
      const target = byName.get(attempt.target);
      if (!target) return;
      if (attempt.session !== session) restart(attempt);
      clock.moveTo(endOf(attempt));
      doubtful = attempt.doubtful === true;
      const before = histories.get(target.name) ?? null;
      const after = replayed(before, attempt, target, {
        isUnreachable: isUnreachable(target, attempt),
        patienceMs: patienceWith(target),
      });
      histories.set(target.name, after);
      await act(target, attempt, after.health);
    },
    of: (target) => histories.get(target),
    actions: () => [...begun.values()],
    gaveUp: () => gaveUp,
  };
}
