import type { ActionRow } from '../core/action.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Attempt } from '../core/outcome.ts';
import { cut, harmlessLines, lastLines, plain } from '../core/plain.ts';
import type { Redact } from '../core/redact.ts';
import type { Action, ActionResult, Step, StepRegistry } from '../core/step.ts';
import {
  type Order,
  type Phase,
  type TransactionEvent,
  type TransactionRules,
  type Turn,
  begun,
  resumed,
  step as turned,
} from '../core/transaction.ts';
import { formatDuration } from '../core/units.ts';

/** So much of what it printed is kept with the incident, characters. */
const TAIL = 8_000;
/** And so much of what it says of how it went. */
const LONGEST_DETAIL = 500;
/** From the end of its time to that of a command that does not heed it, ms. */
const KILL_MS = 5_000;

/** One action under way. */
export interface Transaction {
  phase(): Phase;
  /** An attempt was judged; of no worth where the agent is in doubt. `held`: what would hold it back by now. */
  attempt(attempt: Attempt, isBlind: boolean, held: () => string | null): void;
  /** Calls it off, where nothing was done yet. */
  cancel(why: string): void;
  /** The agent ends: an action that runs has so long, ms. What comes after that is for the next process. */
  stop(graceMs: number): Promise<void>;
}

export interface TransactionOptions {
  readonly steps: StepRegistry;
  readonly clock: Clock;
  readonly redact: Redact;
  readonly rules: TransactionRules;
  readonly step: Step;
  readonly veto: Step | null;
  readonly isDry: boolean;
  /** An intent that the last process has left behind. */
  readonly left?: ActionRow;
  /** The action as its step is told of it, now, and as it is kept. */
  readonly action: () => Action;
  readonly intentOf: (action: Action, what: string) => ActionRow;
  /** Another attempt of the target, as soon as may be. */
  readonly ask: () => void;
  readonly isDoubtful: () => boolean;
  /** What would keep it from acting though its intent is written; null where nothing does. */
  readonly held: () => string | null;
  /** Writes the intent; resolves with what is wrong, if anything is. */
  readonly intend: (row: ActionRow) => Promise<string | null>;
  readonly onRow: (what: 'begins' | 'acted', row: ActionRow) => void;
  /** It has come to something: that is worth keeping. */
  readonly onEnd: (row: ActionRow) => void;
  /** It has come to nothing before anything was intended. */
  readonly onNothing: () => void;
}

/** Carries out the orders of the reducer in core, and tells it what came of them. */
export function runTransaction(options: TransactionOptions): Transaction {
  const { steps, clock, redact, rules, step, veto, isDry, left } = options;
  const timers = new Set<Cancel>();
  const abort = new AbortController();
  let phase: Phase = { name: 'vetting' };
  let action: Action;
  let row: ActionRow | undefined = left && { ...left, result: left.result ?? 'unknown' };
  let cancelProbe: Cancel = () => {};
  let underWay: Promise<void> = Promise.resolve();
  let stopped = false;

  function tell(event: TransactionEvent): void {
    if (!stopped && phase.name !== 'ended') take(turned(phase, event, rules));
  }

  function take(turn: Turn): void {
    ({ phase } = turn);
    if (phase.name !== 'ended') {
      for (const order of turn.orders) carryOut(order);
      return;
    }
    release();
    // Whoever is asked for a veto need not answer any more.
    abort.abort();
    end(phase);
  }

  function end({ outcome, why }: Extract<Phase, { name: 'ended' }>): void {
    // Something that holds, or that nobody knows, before there was an intent: that is no part of the story.
    if (!row && (outcome === 'cancelled' || outcome === 'inconclusive')) {
      options.onNothing();
      return;
    }
    const isLuck = isDry && outcome === 'recovered';
    const kept = row ?? options.intentOf(options.action(), '');
    options.onEnd({
      ...kept,
      counted: kept.result !== null,
      outcome: isLuck ? 'self_healed' : outcome,
      why: redact(isLuck ? 'it answers again, and nothing was done' : why),
      decided: clock.wallTime(),
    });
  }

  function release(): void {
    cancelProbe();
    for (const cancel of timers) cancel();
    timers.clear();
  }

  function carryOut(order: Order): void {
    switch (order.do) {
      case 'vet':
        underWay = vet();
        break;
      case 'probe':
        options.ask();
        break;
      case 'probe at':
        cancelProbe();
        cancelProbe = clock.schedule(order.at, options.ask);
        break;
      case 'wake':
        timers.add(clock.schedule(order.at, () => wake(order.at)));
        break;
      case 'intend':
        void intend();
        break;
      case 'act':
        underWay = act();
        break;
      case 'abort':
        abort.abort();
        break;
    }
  }

  /** Timers may come a fraction early, and nobody would wake it again. */
  function wake(at: number): void {
    tell({ type: 'time', now: Math.max(at, clock.now()), doubtful: options.isDoubtful() });
  }

  async function vet(): Promise<void> {
    const { ok, detail } = await once(veto!, { ...options.action(), step: veto!.name });
    tell({ type: 'vetted', now: clock.now(), ok, detail });
  }

  async function intend(): Promise<void> {
    action = options.action();
    row = options.intentOf(action, redact(steps[step.kind]!.preview(step.settings, action)));
    const problem = await options.intend(row);
    // Called off meanwhile, its target may be gone.
    if (phase.name !== 'intending') return;
    tell({ type: 'written', now: clock.now(), problem, held: options.held() });
  }

  async function act(): Promise<void> {
    options.onRow('begins', row!);
    const { ok, detail, output } = isDry
      ? { ok: true, detail: 'dry run: not done', output: '' }
      : await once(step, action);
    row = { ...row!, ended: clock.wallTime(), result: ok ? 'ok' : 'failed', detail, output };
    options.onRow('acted', row);
    tell({ type: 'acted', now: clock.now() });
  }

  /** One try, ended at its timeout, or called off. Never rejects. */
  async function once({ kind, settings, timeoutMs }: Step, told: Action): Promise<ActionResult> {
    const timeout = new AbortController();
    const cancel = clock.schedule(clock.now() + timeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, abort.signal]);
    let result: ActionResult;
    try {
      result = await steps[kind]!.act(settings, told, { signal, clock });
    } catch (error) {
      result = { ok: false, detail: error instanceof Error ? error.message : String(error), output: '' };
    }
    cancel();
    const { ok, output } = result;
    const detail = ok ? result.detail : (whyEnded(timeout.signal, timeoutMs) ?? result.detail);
    // Masked before it is cut: half a secret is known to nobody.
    return {
      ok,
      detail: cut(plain(shown(detail)), LONGEST_DETAIL),
      output: lastLines(shown(output).trimEnd(), TAIL),
    };
  }

  /** Masked on both sides of the cleaning: a secret may have in it what that takes away, or be torn by it. */
  function shown(text: string): string {
    return redact(harmlessLines(redact(text)));
  }

  function whyEnded(timeout: AbortSignal, timeoutMs: number): string | undefined {
    if (abort.signal.aborted) {
      return `called off: ${stopped ? 'the agent is stopping' : 'the target answers again'}`;
    }
    return timeout.aborted ? `no end within ${formatDuration(timeoutMs)}` : undefined;
  }

  /** By then whatever the last process began has had its time, by the clocks of now. */
  function mayRunUntil({ at, ended }: ActionRow): number {
    if (ended !== null) return clock.now();
    const left = at + step.timeoutMs + KILL_MS - clock.wallTime();
    // The wall clock may have been set meanwhile.
    return clock.now() + Math.min(Math.max(left, 0), step.timeoutMs + KILL_MS);
  }

  // Whoever begins it has to know of it first.
  queueMicrotask(() => {
    if (!stopped && phase.name !== 'ended') {
      take(left ? resumed(rules, clock.now(), mayRunUntil(left)) : begun(rules, clock.now()));
    }
  });

  function cancel(why: string): void {
    tell({ type: 'cancel', now: clock.now(), why });
  }

  return {
    phase: () => phase,
    attempt({ outcome, startedAt }, isBlind, held) {
      const verdict =
        isBlind || outcome.status === 'void' ? 'void' : outcome.status === 'fail' ? 'fail' : 'good';
      const isLastLook = phase.name === 'probing' && verdict === 'fail';
      tell({ type: 'attempt', now: clock.now(), startedAt, verdict, held: isLastLook ? held() : null });
    },
    cancel,
    async stop(graceMs) {
      cancel('the agent is stopping');
      if (phase.name === 'ended') return;
      stopped = true;
      release();
      const cancelGrace = clock.schedule(clock.now() + graceMs, () => abort.abort());
      await underWay;
      cancelGrace();
    },
  };
}
