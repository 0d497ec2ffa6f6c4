import { type Evidence, provenBy, stretched } from './evidence.ts';
import type { Circumstances, Health } from './health.ts';
import { holdsOf } from './news.ts';
import type { Attempt, EvidenceClass } from './outcome.ts';
import { type Recent, provenByShare } from './ratio.ts';
import { isUntold } from './told.ts';

/** What may stand between a failure and a hook that hears of it. */
export type Gate = 'doubt' | 'unreachable' | 'dependency' | 'path' | 'hushed' | 'flapping' | 'verification';

/** What an attempt was kept from: its failure does not count, the rule is met without a verdict, or nobody is told. */
export interface Held {
  readonly gate: Gate;
  readonly what: 'failure' | 'verdict' | 'news';
}

/** The class whose rule for down is met at `at`, monotonic ms, as long as the agent now has to look; null where none is. */
export function provenIn(
  { evidence, recent }: { readonly evidence: Evidence; readonly recent: Recent },
  { rules, doubt }: Pick<Circumstances, 'rules' | 'doubt'>,
  at: number,
): EvidenceClass | null {
  const rule = stretched(rules, doubt.score + 1);
  return provenBy(evidence, rule, at) ?? provenByShare(recent, rule, at);
}

/**
 * Why the rule for down is met at `end`, monotonic ms, and there is no verdict; null where nothing stands against it. What
 * brings a target down as a rule brings down what depends on it: so those are heard first, from the first failure on.
 */
export function withheldBy(
  found: { readonly evidence: Evidence; readonly recent: Recent },
  circumstances: Circumstances,
  end: number,
): 'path' | 'dependency' | null {
  const { pathWorks, dependencies } = circumstances;
  if (!pathWorks && provenIn(found, circumstances, end) === 'path') return 'path';
  // Every failure extends the run of the path.
  const since = found.evidence.path?.since ?? end;
  const isAwaited = dependencies && dependencies.at < since && end - since < dependencies.patienceMs;
  return isAwaited ? 'dependency' : null;
}

/** What was held back at an attempt that made `after` of the health before; null where nothing was. */
export function heldBack(after: Health, attempt: Attempt, circumstances: Circumstances): Held | null {
  const { target, doubt, unreachable, hushed, unverified, rules } = circumstances;
  if (unverified && after.state === 'recovering' && after.successes >= rules.successThreshold) {
    return { gate: 'verification', what: 'verdict' };
  }
  if (attempt.outcome.status === 'fail' && after.incidentAt === null) {
    if (doubt.doubtful) return { gate: 'doubt', what: 'failure' };
    if (unreachable) return { gate: 'unreachable', what: 'failure' };
    const end = attempt.startedAt + attempt.latencyMs;
    const gate = provenIn(after, circumstances, end) && withheldBy(after, circumstances, end);
    if (gate) return { gate, what: 'verdict' };
  }
  if (!isUntold(after.told, holdsOf(after, target))) return null;
  const closed = doubt.doubtful ? 'doubt' : unreachable ? 'unreachable' : hushed ? 'hushed' : undefined;
  return { gate: closed ?? 'flapping', what: 'news' };
}

/** One attempt of them may be under way, and begun too early to say anything; the next one counts. */
const TIMEOUTS = 2;

/** How long these are waited for by what depends on them, ms. */
export function patienceFor(
  dependencies: readonly { readonly rules: { readonly timeoutMs: number } }[],
): number {
  return TIMEOUTS * Math.max(...dependencies.map(({ rules }) => rules.timeoutMs));
}
