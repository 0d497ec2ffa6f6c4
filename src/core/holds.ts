import { type BrakeView, type Brakes, type Hold, braked, dayIsUsedUp } from './brakes.ts';
import type { State } from './health.ts';
import type { Climb } from './ladder.ts';
import type { EvidenceClass } from './outcome.ts';
import type { Mode } from './policy.ts';
import { type Purpose, mayRecover } from './purpose.ts';
import type { Phase } from './transaction.ts';

/** What has to be so for an action at all, whatever the brakes say. */
export interface GateView {
  readonly mode: Mode;
  /** Who has switched recovery off; null where it is on. */
  readonly off: string | null;
  readonly purpose: Purpose;
  readonly state: State;
  readonly evidence: EvidenceClass | null;
  readonly flapping: boolean;
  readonly hushed: string | null;
  readonly unreachable: boolean;
  readonly doubtful: boolean;
  /** What is wrong with the store: without an intent on the disk nothing is done. */
  readonly storeTrouble: string | null;
}

export interface HoldView extends GateView, BrakeView {
  readonly climb: Climb;
  readonly rung: 'used up' | 'no cure' | object;
  /** Until when its traffic is let go, monotonic ms; null: nobody asks for that. */
  readonly drainsUntil: number | null;
  /** The transaction that is under way. */
  readonly phase: Phase['name'] | null;
}

/** Everything that holds back an action on a target now: what `explain` shows. None: it may begin. */
export function holds(view: HoldView, brakes: Brakes): Hold[] {
  const held = gated(view);
  if (view.state !== 'down') return held;
  if (view.phase !== null) held.push(shut('busy', `an action is under way: ${view.phase}`));
  if (view.climb.gaveUp !== null) held.push(shut('gave_up', `it has given up: ${view.climb.gaveUp}`));
  else if (view.rung === 'used up') held.push(shut('gave_up', 'every step has been tried'));
  if (view.rung === 'no cure') {
    held.push(shut('evidence', `no step cures ${view.evidence ?? 'what nobody has seen'}`));
  }
  if (view.drainsUntil !== null && view.now < view.drainsUntil) {
    held.push({ gate: 'drain', why: 'its traffic is let go first', until: view.drainsUntil });
  }
  return [...held, ...braked(view, brakes)];
}

/** Why nothing more is to be tried; null where something is. */
export function whyOver(view: HoldView, brakes: Brakes): string | null {
  const isUsedUp = view.rung === 'used up';
  if (!isUsedUp && !dayIsUsedUp(view, brakes)) return null;
  return isUsedUp ? 'every step has been tried' : 'the attempts of a day are used up';
}

/** Those that can shut while an intent is being written, too. */
export function gated(view: GateView): Hold[] {
  const held: Hold[] = [];
  if (view.state !== 'down') held.push(shut('state', `it is ${view.state}`));
  if (view.mode === 'observe') held.push(shut('mode', 'mode is observe'));
  if (!mayRecover(view.purpose)) held.push(shut('purpose', `its purpose is ${view.purpose}`));
  if (view.off !== null) held.push(shut('switch', `recovery is off: ${view.off}`));
  if (view.hushed !== null) held.push(shut('paused', view.hushed));
  if (view.unreachable) held.push(shut('unreachable', 'something that it depends on is not up'));
  if (view.flapping) held.push(shut('flapping', 'it is flapping'));
  if (view.doubtful) held.push(shut('doubt', 'the agent is in doubt of itself'));
  if (view.storeTrouble !== null) {
    held.push(shut('store', `without a store that can be written nothing is done: ${view.storeTrouble}`));
  }
  return held;
}

function shut(gate: Hold['gate'], why: string): Hold {
  return { gate, why, until: null };
}
