/**
 * One recovery action, from the last look before it to the verdict on it. A reducer: phase and event in, phase and orders
 * out. The orders are carried out elsewhere, and their results come back as events. All times are monotonic ms.
 *
 *     vetting -> probing -> intending -> acting -> settling -> verifying -> ended
 *
 * From the moment an intent may be on disk the transaction ends by verification, or is refused before it has acted.
 */
export type Phase =
  | { readonly name: 'vetting' }
  /** Only an attempt that starts from `askedAt` on counts: the last look. */
  | { readonly name: 'probing'; readonly askedAt: number }
  | { readonly name: 'intending'; readonly sentAt: number }
  | { readonly name: 'acting'; readonly healed: boolean }
  | { readonly name: 'settling'; readonly until: number; readonly healed: boolean }
  | Verifying
  | { readonly name: 'ended'; readonly outcome: RecoveryOutcome; readonly why: string };

interface Verifying {
  readonly name: 'verifying';
  readonly healed: boolean;
  readonly startedAt: number;
  /** When it is decided at the latest. */
  readonly until: number;
  /** Good attempts in a row, and the start of the first of them. */
  readonly successes: number;
  readonly goodSince: number | null;
  /** Whether the target itself was heard at all: void attempts say nothing. */
  readonly heard: boolean;
}

/** How it ended. `inconclusive`: the agent could not tell. `vetoed` and `cancelled`: nothing was done. */
export type RecoveryOutcome =
  | 'recovered'
  | 'failed'
  | 'self_healed'
  | 'inconclusive'
  | 'vetoed'
  | 'cancelled';

export interface Verify {
  /** Good attempts in a row. */
  readonly successes: number;
  /** They have to be there within this time of the settling's end. */
  readonly withinMs: number;
  /** And the target has to stay good for this long, from the start of the first of them. */
  readonly stableMs: number;
}

export interface TransactionRules {
  /** Whether somebody is asked for a veto first. */
  readonly vets: boolean;
  readonly settleMs: number;
  readonly verify: Verify;
  /** Pause between the attempts of the verification. */
  readonly spacingMs: number;
  /** The action is called off where the target answers again while it runs. */
  readonly cancelOnUp: boolean;
}

export type TransactionEvent = { readonly now: number } & (
  | { readonly type: 'vetted'; readonly ok: boolean; readonly detail: string }
  /** An attempt was judged. `held`: what holds the action back by now. */
  | {
      readonly type: 'attempt';
      readonly startedAt: number;
      readonly verdict: 'good' | 'fail' | 'void';
      readonly held: string | null;
    }
  /** The intent is on disk, or cannot be. */
  | { readonly type: 'written'; readonly problem: string | null; readonly held: string | null }
  | { readonly type: 'acted' }
  /** Time has passed; whether the agent is in doubt of itself. */
  | { readonly type: 'time'; readonly doubtful: boolean }
  | { readonly type: 'cancel'; readonly why: string }
);

/** What is to be done now. `wake`: at that time at the latest it wants to hear of the time. */
export type Order =
  | { readonly do: 'vet' | 'probe' | 'intend' | 'act' | 'abort' }
  | { readonly do: 'wake' | 'probe at'; readonly at: number };

export interface Turn {
  readonly phase: Phase;
  readonly orders: readonly Order[];
}

/** An intent that took longer to write is of the past: whoever stood still meanwhile does not act on it. */
const INTENT_HOLDS_MS = 5_000;
/** Timers count whole milliseconds and may fire a fraction early; who is woken once is not to miss it. */
const EARLY_MS = 1;

export function begun({ vets }: TransactionRules, now: number): Turn {
  return vets ? { phase: { name: 'vetting' }, orders: [{ do: 'vet' }] } : look(now);
}

/**
 * After the agent has died: an intent without a result may have been acted on. It is not acted on again, whatever it came
 * to: verification decides. What was begun may still run, beside nobody, until `mayRunUntil`, monotonic ms: it settles only
 * after that.
 */
export function resumed(rules: TransactionRules, now: number, mayRunUntil = now): Turn {
  return settle(false, rules, Math.max(now, mayRunUntil));
}

export function step(phase: Phase, event: TransactionEvent, rules: TransactionRules): Turn {
  switch (phase.name) {
    case 'vetting':
      if (event.type === 'cancel') return ended('cancelled', event.why);
      if (event.type === 'attempt' && event.verdict === 'good') return healed();
      if (event.type !== 'vetted') break;
      return event.ok ? look(event.now) : ended('vetoed', event.detail);
    case 'probing':
      if (event.type === 'cancel') return ended('cancelled', event.why);
      return event.type === 'attempt' && event.startedAt >= phase.askedAt ? looked(event) : stay(phase);
    case 'intending':
      return intending(phase, event);
    case 'acting':
      return acting(phase, event, rules);
    case 'settling':
      if (event.type !== 'time' || event.now < phase.until - EARLY_MS) break;
      return verify(phase.healed, rules, event.now);
    case 'verifying':
      return verifying(phase, event, rules);
    case 'ended':
      break;
  }
  return stay(phase);
}

/** Whether the action may have begun: from here on it counts against every brake. */
export function counts({ name }: Phase): boolean {
  return name === 'intending' || name === 'acting' || name === 'settling' || name === 'verifying';
}

function stay(phase: Phase): Turn {
  return { phase, orders: [] };
}

function ended(outcome: RecoveryOutcome, why: string): Turn {
  return stay({ name: 'ended', outcome, why });
}

function healed(): Turn {
  return ended('self_healed', 'it answered again before anything was done');
}

function look(now: number): Turn {
  return { phase: { name: 'probing', askedAt: now }, orders: [{ do: 'probe' }] };
}

function looked({ verdict, held, now }: Extract<TransactionEvent, { type: 'attempt' }>): Turn {
  if (verdict === 'good') return healed();
  if (verdict === 'void') return ended('inconclusive', 'the last look before it said nothing');
  if (held !== null) return ended('cancelled', held);
  return { phase: { name: 'intending', sentAt: now }, orders: [{ do: 'intend' }] };
}

function intending(phase: Extract<Phase, { name: 'intending' }>, event: TransactionEvent): Turn {
  if (event.type === 'cancel') return ended('cancelled', event.why);
  if (event.type === 'attempt' && event.verdict === 'good') return healed();
  if (event.type !== 'written') return stay(phase);
  if (event.problem !== null) return ended('cancelled', event.problem);
  if (event.held !== null) return ended('cancelled', event.held);
  if (event.now - phase.sentAt > INTENT_HOLDS_MS) {
    return ended('cancelled', 'the intent took too long to write');
  }
  return { phase: { name: 'acting', healed: false }, orders: [{ do: 'act' }] };
}

function acting(
  phase: Extract<Phase, { name: 'acting' }>,
  event: TransactionEvent,
  rules: TransactionRules,
): Turn {
  if (event.type === 'acted') return settle(phase.healed, rules, event.now);
  const isUp = event.type === 'attempt' && event.verdict === 'good';
  if (!isUp || !rules.cancelOnUp || phase.healed) return stay(phase);
  return { phase: { ...phase, healed: true }, orders: [{ do: 'abort' }] };
}

function settle(wasHealed: boolean, rules: TransactionRules, now: number): Turn {
  const until = now + rules.settleMs;
  return { phase: { name: 'settling', until, healed: wasHealed }, orders: [{ do: 'wake', at: until }] };
}

function verify(wasHealed: boolean, { verify: { withinMs } }: TransactionRules, now: number): Turn {
  const until = now + withinMs;
  const nothingYet = { startedAt: now, until, successes: 0, goodSince: null, heard: false };
  return {
    phase: { name: 'verifying', healed: wasHealed, ...nothingYet },
    orders: [{ do: 'probe' }, { do: 'wake', at: until }],
  };
}

function verifying(phase: Verifying, event: TransactionEvent, rules: TransactionRules): Turn {
  if (event.type === 'time') return timedOut(phase, event, rules.verify);
  // What started before belongs to the time of settling.
  if (event.type !== 'attempt' || event.startedAt < phase.startedAt) return stay(phase);
  const again: Order = { do: 'probe at', at: event.now + rules.spacingMs };
  if (event.verdict === 'void') return { phase, orders: [again] };
  if (event.verdict === 'fail') {
    const failing = { ...phase, successes: 0, goodSince: null, heard: true };
    return event.now >= phase.startedAt + rules.verify.withinMs
      ? ended('failed', phase.goodSince === null ? tooFew(0, rules.verify) : 'it did not stay good')
      : { phase: { ...failing, until: phase.startedAt + rules.verify.withinMs }, orders: [again] };
  }
  return succeeded(phase, event, rules);
}

function succeeded(
  phase: Verifying,
  { startedAt, now }: Extract<TransactionEvent, { type: 'attempt' }>,
  { verify: { successes: enough, stableMs, withinMs }, spacingMs }: TransactionRules,
): Turn {
  const goodSince = phase.goodSince ?? startedAt;
  const successes = phase.successes + 1;
  const next = { ...phase, heard: true, goodSince, successes };
  if (successes < enough) return { phase: next, orders: [{ do: 'probe at', at: now + spacingMs }] };
  const stableAt = goodSince + stableMs;
  if (startedAt >= stableAt - EARLY_MS) {
    return phase.healed
      ? ended('self_healed', 'it answered again before the action had ended')
      : ended('recovered', `${successes} good attempts in a row`);
  }
  const until = stableAt + withinMs;
  return {
    phase: { ...next, until },
    orders: [
      { do: 'probe at', at: stableAt },
      { do: 'wake', at: until },
    ],
  };
}

function timedOut(
  phase: Verifying,
  { now, doubtful }: Extract<TransactionEvent, { type: 'time' }>,
  verify: Verify,
): Turn {
  if (now < phase.until - EARLY_MS) return stay(phase);
  if (doubtful) return ended('inconclusive', 'the agent is in doubt of itself');
  if (!phase.heard) return ended('inconclusive', 'no attempt said anything about the target');
  return phase.successes < verify.successes
    ? ended('failed', tooFew(phase.successes, verify))
    : ended('inconclusive', 'it was good, and no attempt says whether it has stayed so');
}

const tooFew = (successes: number, { successes: enough }: Verify): string =>
  `${successes} of ${enough} good attempts in a row in time`;
