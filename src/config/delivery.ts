import type { HookDefaults, HookSpec } from '../core/hook.ts';
import { formatDuration } from '../core/units.ts';
import { duration, integer } from '../schema/scalars.ts';
import type { Problem } from './problem.ts';
import type { Sourced } from './validate.ts';

/** How long a hook is tried, ms: whoever is on call has fixed the receiver by then, or knows. */
const RETRY_FOR_MS = 21_600_000;
const SHORTEST_REMIND_MS = 60_000;

export const remind = duration({ min: SHORTEST_REMIND_MS }).optional();

/** The keys of a hook that say how its messages are delivered. */
export const deliveryKeys = {
  timeout: duration()
    .optional()
    .meta({ otherwise: 'exec, shell and email `30s`, others `10s`' })
    .describe('one try'),
  retries: integer(0, 100)
    .optional()
    .meta({ otherwise: 'exec and shell `0`, others as `retry_for` allows' })
    .describe('how often a try that failed is repeated'),
  retry_for: duration()
    .optional()
    .meta({ otherwise: `\`${formatDuration(RETRY_FOR_MS)}\`` })
    .describe('how long, from the event on, a try that failed is repeated'),
  grouping: duration({ min: 0 })
    .optional()
    .meta({ otherwise: 'slack, teams, ntfy and email `5s`, alertmanager `1s`, others `0s`' })
    .describe('how long events are gathered for one message; `0s`: each event is a message'),
  remind: remind
    .meta({ otherwise: 'that of `defaults`' })
    .describe('how often it is told that a target is still down; at least 1m'),
};

interface Written {
  readonly timeout?: number | undefined;
  readonly retries?: number | undefined;
  readonly retry_for?: number | undefined;
  readonly grouping?: number | undefined;
  readonly remind?: number | undefined;
}

type Terms = Pick<HookSpec, 'timeoutMs' | 'retries' | 'retryForMs' | 'groupingMs' | 'repeat'>;

/** What holds of a hook's deliveries, or a problem where its kind cannot do that. `remindMs` is that of `defaults:`. */
export function termsOf(
  written: Written,
  {
    kind,
    defaults,
    remindMs,
  }: { readonly kind: string; readonly defaults: HookDefaults; readonly remindMs: number | undefined },
  { source, path }: Sourced,
  problems: Problem[],
): Terms | undefined {
  const refuse = (key: string, message: string): undefined => {
    problems.push({ place: source.locate([...path, key]), message });
  };
  if (defaults.groupingMs === null && written.grouping) {
    return refuse('grouping', `${kind} takes one event at a time`);
  }
  if (defaults.refreshMs !== undefined && written.remind !== undefined) {
    return refuse('remind', `${kind} reminds by itself, as it is told to there`);
  }
  return {
    timeoutMs: written.timeout ?? defaults.timeoutMs,
    retries: written.retries ?? (written.retry_for === undefined ? defaults.retries : null),
    retryForMs: written.retry_for ?? RETRY_FOR_MS,
    groupingMs: written.grouping ?? defaults.groupingMs ?? 0,
    repeat: repeatOf(defaults.refreshMs, written.remind ?? remindMs),
  };
}

function repeatOf(refreshMs: number | undefined, remindMs: number | undefined): HookSpec['repeat'] {
  if (refreshMs !== undefined) return { everyMs: refreshMs, why: 'refresh' };
  return remindMs === undefined ? null : { everyMs: remindMs, why: 'reminder' };
}
