import type { ExplanationAnswer } from '../../api/explanation.ts';
import { plain } from '../../core/plain.ts';
import { type Moments, brief } from './moments.ts';

/** What there is to say of it in a few sentences: what it is, why, and what would change it. */
export function gist(answer: ExplanationAnswer, moments: Moments): string[] {
  const { target, state, since_ago_ms, incident } = answer;
  const since = `since ${moments.at(-since_ago_ms)} (${brief(since_ago_ms)})`;
  const head = `${plain(target)} is ${state} ${since}`;
  switch (state) {
    case 'unknown':
      return [`${head}: no attempt has said anything about it yet.`, ...prospectOf(answer, moments)];
    case 'up':
      return [`${head}${answer.degraded === null ? '' : `, and degraded (${answer.degraded})`}: it answers.`];
    case 'suspect':
      return [`${head}: ${counted(answer)}.`, ...prospectOf(answer, moments)];
    case 'down':
      return [
        `${head}, incident ${plain(incident ?? '')}; ${toldOf(answer)}.`,
        ...prospectOf(answer, moments),
      ];
    case 'recovering':
      return [
        `${head}: ${answer.successes} of ${answer.rule.success_threshold} good answers in a row; incident ${plain(incident ?? '')} is still open.`,
        ...prospectOf(answer, moments),
      ];
  }
}

/** `2 of 3 failures, 1.1s of 2s (explicit)`, for the class that is nearest to a verdict. */
function counted({ evidence, outlook, rule }: ExplanationAnswer): string {
  const nearest = outlook.toSorted((a, b) => (a.in_ms ?? Infinity) - (b.in_ms ?? Infinity));
  const found =
    nearest.flatMap(({ outcome }) => evidence.find((one) => one.class === outcome) ?? [])[0] ?? evidence[0];
  if (!found) return 'it fails, and nothing counts';
  const { class: cls, failures, lasted_ms, window_ms } = found;
  const enough = failures >= rule.failure_threshold ? failures : `${failures} of ${rule.failure_threshold}`;
  return `${enough} failures, ${brief(Math.min(lasted_ms, window_ms))} of ${brief(window_ms)} (${cls})`;
}

function toldOf({ told, incident, gates }: ExplanationAnswer): string {
  if (told.down === incident) return 'that was told';
  const why = gates.find(({ gate, holds }) => holds && gate !== 'purpose' && gate !== 'path')?.why;
  return why === undefined ? 'that is told at the next attempt' : `nobody was told: ${plain(why)}`;
}

/** Gates that keep failures from counting, or a verdict back. */
const HOLDS_DOWN: ReadonlySet<string> = new Set(['doubt', 'unreachable', 'path']);

function prospectOf({ outlook, state, gates }: ExplanationAnswer, moments: Moments): string[] {
  const [soonest] = outlook.filter(({ in_ms }) => in_ms !== null).toSorted((a, b) => a.in_ms! - b.in_ms!);
  if (!soonest) {
    const closed = gates.find(({ gate, holds }) => holds && HOLDS_DOWN.has(gate));
    return closed ? [`It cannot go down now: ${plain(closed.why)}.`] : [];
  }
  const { attempts, in_ms, state: then } = soonest;
  const what = then === 'up' ? 'good answer' : 'failure';
  const which =
    attempts === 1
      ? `at the next ${what}`
      : `after ${attempts} ${state === 'unknown' ? '' : 'more '}${what}s in a row`;
  return [
    `${then === 'up' ? 'Up again' : 'Down'} ${which}, at ${moments.at(in_ms!)} at the earliest (${moments.until(in_ms!)}).`,
  ];
}
