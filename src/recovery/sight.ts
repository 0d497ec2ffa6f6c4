import type { Brakes } from '../core/brakes.ts';
import type { Clock } from '../core/clock.ts';
import { failTogether } from '../core/episode.ts';
import type { Doubt } from '../core/doubt.ts';
import { type HoldView, gated, holds } from '../core/holds.ts';
import type { Health } from '../core/health.ts';
import { nextRung } from '../core/ladder.ts';
import { type Attempt, classOf } from '../core/outcome.ts';
import type { Mode } from '../core/policy.ts';
import type { RecoveryStanding } from '../core/recovery.ts';
import type { Step } from '../core/step.ts';
import type { Store } from '../core/store.ts';
import type { Target } from '../core/target.ts';
import { counts } from '../core/transaction.ts';
import type { Groups } from './groups.ts';
import type { Ledger } from './ledger.ts';
import type { Transaction } from './transaction.ts';

/** What recovery needs of those who probe. */
export interface RecoveryWatch {
  /** Undefined for a target that is not watched. */
  look(target: string): Circumstances | undefined;
  /** The same, and less to look up. */
  health(target: string): Health | undefined;
  /** Another attempt, as soon as may be. */
  ask(target: string): void;
  doubt(): Pick<Doubt, 'doubtful'>;
  /** Monotonic ms at which the agent last stood still. */
  pausedAt(): number;
}

export interface Circumstances {
  readonly health: Health;
  readonly hushed: string | null;
  readonly unreachable: boolean;
}

export interface RecoveryRules {
  /** Steps by the name of their hook. */
  readonly ladders: ReadonlyMap<string, readonly Step[]>;
  readonly brakes: Brakes;
}

export interface SightOptions {
  readonly clock: Clock;
  readonly store: Pick<Store, 'status'>;
  readonly watch: RecoveryWatch;
  readonly ledger: Ledger;
  readonly groups: Groups;
  readonly running: ReadonlyMap<string, Transaction>;
  /** The failure that was seen last, by target. */
  readonly failures: ReadonlyMap<string, Attempt>;
  readonly rules: () => RecoveryRules;
  readonly off: () => string | null;
  readonly drainsUntil?: (target: Target) => number | null;
  readonly isDryRun: boolean;
}

export type SightOf = HoldView & { readonly rung: Step | 'used up' | 'no cure' };

/** Everything that matters for an action on a target, seen at one moment. */
export interface Sight {
  modeOf(target: Target): Mode;
  ladderOf(target: Target): readonly Step[];
  /** Its action has begun, or may have, and what that came to is not verified yet. */
  isActive(target: Pick<Target, 'name'>): boolean;
  /** A step has taken it out of traffic, and counts still. */
  isWithdrawn(target: Target): boolean;
  of(target: Target): SightOf;
  standing(target: Target): RecoveryStanding;
  /** What would keep it from going on, in words; of one whose intent is written only what is not about numbers. */
  held(target: Target, isIntended: boolean): string | null;
  /** Looks after the panic of its group. */
  lookAfter(target: Target): void;
}

export function createSight(options: SightOptions): Sight {
  const { clock, store, watch, ledger, groups, running, failures, rules, off, isDryRun } = options;
  const startedAt = clock.now();

  function modeOf({ policy }: Target): Mode {
    return isDryRun && policy.mode === 'enforce' ? 'dry_run' : policy.mode;
  }

  function ladderOf({ recover }: Target): readonly Step[] {
    return recover.flatMap((name) => rules().ladders.get(name) ?? []);
  }

  /** Whoever has just started knows nothing yet, and takes that for no panic. */
  function lookAt(group: string) {
    const now = clock.now();
    const { brakes } = rules();
    return now < startedAt + brakes.startGraceMs ? { bad: 0, panic: null } : groups.look(group, brakes, now);
  }

  function isActive({ name }: Pick<Target, 'name'>): boolean {
    const transaction = running.get(name);
    return transaction !== undefined && counts(transaction.phase());
  }

  function of(target: Target): SightOf {
    const { name, purpose } = target;
    const mode = modeOf(target);
    const climb = ledger.climb(name, mode);
    const failure = failures.get(name);
    const evidence = failure ? classOf(failure.outcome) : null;
    const rung = nextRung(ladderOf(target), climb, evidence);
    const group = groups.nameOf(target);
    const members = groups.membersOf(group);
    const { health, hushed, unreachable } = watch.look(name)!;
    const { ok, trouble } = store.status();
    return {
      target: name,
      now: clock.now(),
      mode,
      off: off(),
      purpose,
      state: health.state,
      evidence,
      flapping: health.flaps.flapping,
      hushed,
      unreachable,
      doubtful: watch.doubt().doubtful,
      storeTrouble: ok ? null : (trouble ?? 'it is in trouble'),
      climb,
      rung,
      phase: running.get(name)?.phase().name ?? null,
      drainsUntil: options.drainsUntil?.(target) ?? null,
      startedAt,
      pausedAt: watch.pausedAt(),
      heardBy: health.flaps.at + target.rules.intervalMs / 2,
      coolUntil: climb.coolUntil,
      ackedAt: climb.ackedAt,
      asks: typeof rung === 'object' && rung.asks,
      starts: ledger.starts(mode),
      group: {
        name: group,
        size: members.length,
        active: members.filter((name) => isActive({ name })).length,
        together: failTogether(
          members.flatMap((one) => watch.health(one) ?? []),
          clock.now(),
          { least: 2, share: rules().brakes.panicAt },
        ),
        ...lookAt(group),
      },
    };
  }

  return {
    modeOf,
    ladderOf,
    isActive,
    isWithdrawn(target) {
      const { used } = ledger.climb(target.name, modeOf(target));
      return ladderOf(target).some(({ withdraws, name }) => withdraws && used[name] !== undefined);
    },
    of,
    standing(target) {
      const seen = of(target);
      const { mode, rung, climb, phase } = seen;
      return {
        mode,
        next: typeof rung === 'object' ? rung.name : null,
        gaveUp: climb.gaveUp,
        used: climb.used,
        phase,
        holds: holds(seen, rules().brakes),
      };
    },
    held(target, isIntended) {
      const view = { ...of(target), phase: null };
      const [first] = isIntended ? gated(view) : holds(view, rules().brakes);
      return first?.why ?? null;
    },
    lookAfter: (target) => void lookAt(groups.nameOf(target)),
  };
}
