import { NO_EVIDENCE, provenBy, windowOf, withFailure } from '../../core/evidence.ts';
import { type Attempt, type EvidenceClass, type Status, classOf } from '../../core/outcome.ts';
import type { Rules } from '../../core/target.ts';
import { formatDuration } from '../../core/units.ts';
import type { Look } from '../look.ts';
import { plain } from '../../core/plain.ts';
import { STATUS_COLOUR } from '../style.ts';
import { wrapped } from '../width.ts';
import { INDENT, type Page } from './page.ts';

export const MARK: Readonly<Record<Status, string>> = { ok: '✓', warn: '!', fail: '✗', void: '?' };

const MEANING: Readonly<Record<EvidenceClass, string>> = {
  explicit: 'the path works, and the target says no',
  silent: 'the path works, and the target says nothing in time',
  path: 'the target could not even be reached',
};

/** What it comes to: status, reason, class and message, and what the target's rules would make of it. */
export function verdict({ attempt, target }: Look, { paint, columns }: Page): string[] {
  const { outcome } = attempt;
  const cls = classOf(outcome);
  const colour = STATUS_COLOUR[outcome.status];
  const head = `${MARK[outcome.status]} ${outcome.status}`;
  const said =
    outcome.status === 'fail' ? `${outcome.reason}: ${plain(outcome.message)}` : plain(outcome.message);
  const room = Math.max(20, columns - head.length - 2);
  const [first = '', ...rest] = wrapped(said, room);
  const below = [...(cls ? [`${cls}: ${MEANING[cls]}`] : []), prospect(attempt, target.rules)];
  return [
    '',
    `${paint('bold', paint(colour, head))}  ${first}`,
    ...rest.map((line) => `${' '.repeat(head.length + 2)}${line}`),
    ...below
      .flatMap((text) => wrapped(text, Math.max(20, columns - INDENT.length)))
      .map((line) => `${INDENT}${paint('gray', line)}`),
  ];
}

/** What one such attempt does to the target's state. */
export function prospect(attempt: Attempt, rules: Rules): string {
  switch (attempt.outcome.status) {
    case 'void':
      return 'our own trouble: it says nothing about the target and does not count';
    case 'ok':
      return `up at once; from down it takes ${times(rules.successThreshold)}`;
    case 'warn':
      return `up, with a complaint; from down it takes ${times(rules.successThreshold)}`;
    case 'fail':
      return afterFailure(attempt, rules);
  }
}

function times(count: number): string {
  return count === 1 ? 'one such answer' : `${count} such answers in a row`;
}

function afterFailure({ outcome, startedAt, latencyMs }: Attempt, rules: Rules): string {
  const cls = classOf(outcome)!;
  const evidence = withFailure(NO_EVIDENCE, cls, startedAt);
  if (provenBy(evidence, rules, startedAt + latencyMs) !== null) return 'down at once, by its rules';
  const failures = rules.failureThreshold;
  const window = windowOf(cls, evidence, rules.confirm);
  const conditions = [
    ...(failures > 1 ? [`1 failure of ${failures} in a row before down`] : []),
    ...(window > 0
      ? [`${failures > 1 ? 'over' : 'down once it lasts for'} ${formatDuration(window)} at least`]
      : []),
  ];
  return `suspect: ${conditions.join(', ')}; asked again every ${formatDuration(rules.retryIntervalMs)}`;
}
