import type { Config } from '../config/load.ts';
import type { ActionRow } from '../core/action.ts';
import { type Begun, type Pair, type Span, isSame, paired, pairedActions } from '../core/replay.ts';
import type { Target } from '../core/target.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import type { Rehearsal } from '../recovery/rehearsal.ts';
import type { Seen } from './replay.ts';

/** Incidents and actions as they are on record (`recorded`), and as the files would have had them (`replayed`). */
export interface Comparison {
  /** Ms since the epoch of the first attempt, and of the last. */
  readonly from: number;
  readonly until: number;
  readonly targets: readonly TargetComparison[];
  readonly gaveUp: readonly { readonly target: string; readonly why: string }[];
  /** How far this can be relied upon, in sentences. */
  readonly notes: readonly string[];
  readonly differs: boolean;
}

export interface TargetComparison {
  readonly target: string;
  readonly incidents: readonly Pair<Span>[];
  readonly actions: readonly ActionPair[];
}

export interface ActionPair {
  readonly recorded: Begun | null;
  readonly replayed: ActionRow | null;
}

export interface Replay {
  readonly config: Config;
  readonly rehearsal: Rehearsal;
  readonly seen: ReadonlyMap<string, Seen>;
  /** On record. */
  readonly actions: readonly Begun[];
  /** Lines that no agent has written. */
  readonly bad: number;
  /** Where the record is. */
  readonly from: string;
}

export function comparisonOf(replay: Replay): Comparison {
  const { config, rehearsal, seen } = replay;
  const from = Math.min(...[...seen.values()].map(({ first }) => first));
  const until = Math.max(...[...seen.values()].map(({ last }) => last));
  const targets = config.targets
    .filter(({ name }) => seen.has(name))
    .map(({ name }) => ({
      target: name,
      incidents: paired(rehearsal.of(name)!.recorded, rehearsal.of(name)!.replayed),
      actions: pairedActions(
        // What was done before the first attempt was due to others.
        replay.actions.filter(({ target, at }) => target === name && at >= from && at <= until),
        rehearsal.actions().filter(({ target }) => target === name),
      ),
    }));
  const differs = targets.some(
    ({ incidents, actions }) =>
      incidents.some((pair) => !isSame(pair)) ||
      actions.some(({ recorded, replayed }) => recorded === null || replayed === null),
  );
  return { from, until, targets, gaveUp: rehearsal.gaveUp(), notes: notesOn(replay), differs };
}

function notesOn({ config, rehearsal, seen, bad, from }: Replay): string[] {
  const { targets } = config;
  const on = (is: (target: Target) => boolean): string[] =>
    targets.filter((target) => is(target)).map(({ name }) => name);
  const isFaster = ({ name, rules }: Target): boolean =>
    rules.intervalMs < (seen.get(name)?.spacing ?? 0) * NEARLY;
  const notes: [names: string[], note: string][] = [
    [on(({ name }) => !seen.has(name)), 'not on record'],
    [
      [...seen.keys()].filter((name) => !targets.some((target) => target.name === name)),
      'on record, and in none of the files',
    ],
    [on(isFaster), 'asked less often than the files say: what happened in between is not on record'],
    [
      on(({ contract }) => contract !== undefined),
      'judged by the interval and windows that a contract begins with: what it has learned is not on record',
    ],
    [on(({ policy }) => policy.veto !== null), 'nobody was asked for a veto'],
  ];
  return [
    ...notes.filter(([names]) => names.length > 0).map(([names, note]) => `${listed(names)}: ${note}`),
    ...(rehearsal.actions().length > 0
      ? ['whether an action would have helped nobody knows: the record goes on as if nothing had been done']
      : []),
    ...(bad > 0 ? [`${formatCount(bad, 'line')} of ${from} could not be read`] : []),
  ];
}

/** Starts are late at times. */
const NEARLY = 0.9;
const MOST_NAMES = 5;

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

export type Difference = 'none' | 'moved' | 'only_recorded' | 'only_replayed';

export function differenceOf(pair: Pair<Span>): Difference {
  if (pair.recorded === null) return 'only_replayed';
  return pair.replayed === null ? 'only_recorded' : isSame(pair) ? 'none' : 'moved';
}

export interface Summary {
  readonly recorded_incidents: number;
  readonly replayed_incidents: number;
  readonly same: number;
  readonly moved: number;
  readonly only_recorded: number;
  readonly only_replayed: number;
  readonly recorded_actions: number;
  readonly replayed_actions: number;
}

export function summaryOf({ targets }: Comparison): Summary {
  const incidents = targets.flatMap((one) => one.incidents);
  const actions = targets.flatMap((one) => one.actions);
  const count = (difference: Difference): number =>
    incidents.filter((pair) => differenceOf(pair) === difference).length;
  return {
    recorded_incidents: incidents.filter(({ recorded }) => recorded).length,
    replayed_incidents: incidents.filter(({ replayed }) => replayed).length,
    same: count('none'),
    moved: count('moved'),
    only_recorded: count('only_recorded'),
    only_replayed: count('only_replayed'),
    recorded_actions: actions.filter(({ recorded }) => recorded).length,
    replayed_actions: actions.filter(({ replayed }) => replayed).length,
  };
}

/** `--json`: its keys stay. */
export function recordOf(comparison: Comparison) {
  const { from, until, targets, gaveUp, notes, differs } = comparison;
  return {
    from: iso(from),
    until: iso(until),
    differs,
    summary: summaryOf(comparison),
    targets: targets.map(({ target, incidents, actions }) => ({
      target,
      incidents: incidents.map((pair) => ({
        difference: differenceOf(pair),
        recorded: spanRecord(pair.recorded),
        replayed: spanRecord(pair.replayed),
      })),
      actions: actions.map(({ recorded, replayed }) => ({
        step: (replayed ?? recorded)!.step,
        recorded_at: iso(recorded?.at ?? null),
        replayed_at: iso(replayed?.at ?? null),
        what: replayed?.what ?? null,
        outcome: replayed?.outcome ?? null,
      })),
      gave_up: gaveUp.filter((one) => one.target === target).map(({ why }) => why),
    })),
    notes,
  };
}

function spanRecord(span: Span | null) {
  return span && { opened: iso(span.opened), closed: iso(span.closed), reason: span.reason };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** `opens 4s later, closes 1s sooner` */
export function shiftsOf({
  recorded,
  replayed,
}: {
  readonly recorded: Span;
  readonly replayed: Span;
}): string {
  const shift = (verb: string, before: number | null, after: number | null): string[] => {
    if (before === after) return [];
    if (before === null) return [`${verb}, and did not`];
    if (after === null) return [`does not ${verb.replace(/s$/, '')}`];
    return [`${verb} ${formatDuration(Math.abs(after - before))} ${after > before ? 'later' : 'sooner'}`];
  };
  return [
    ...shift('opens', recorded.opened, replayed.opened),
    ...shift('closes', recorded.closed, replayed.closed),
  ].join(', ');
}
