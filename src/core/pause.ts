import type { State } from './health.ts';
import type { Status } from './outcome.ts';

/** One target, one group with its targets, or everything. */
export type Scope = { readonly target: string } | { readonly group: string } | { readonly all: true };

/** Somebody's word that nothing is to be told or done for a while: a deploy, a repair. Probes go on. */
export interface Pause {
  readonly scope: Scope;
  readonly reason: string;
  /** Who asked for it. */
  readonly by: string;
  /** Wall clock ms at which it began and is to end, for people. */
  readonly at: number;
  readonly until: number;
  /** Monotonic ms at which it ends. */
  readonly endsAt: number;
  /** A target is released as soon as it has failed and is verified up again. */
  readonly untilHealthy: boolean;
  /** Consumers are to leave them alone meanwhile. */
  readonly drain?: boolean;
  /** Targets that have failed since it began, with their good attempts in a row since then. */
  readonly healing: Readonly<Record<string, number>>;
  /** What it covers and does not hold back any more, as keys of scopes. */
  readonly released: ReadonlySet<string>;
}

/** Maintenance as it is written: by the calendar of a time zone, again and again. */
export interface Maintenance {
  readonly reason: string;
  /** When a window begins. */
  readonly cron: string;
  readonly zone: string;
  /** How long it lasts, ms. */
  readonly forMs: number;
  readonly targets: readonly string[];
  readonly groups: readonly string[];
}

/** A maintenance window that is open. */
export interface OpenWindow {
  readonly reason: string;
  readonly targets: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** Wall clock ms: it holds from `from` and not at `until` any more. */
  readonly from: number;
  readonly until: number;
}

/** A window that is open, or else the next one. */
export interface ScheduledWindow extends OpenWindow {
  readonly isOpen: boolean;
  readonly zone: string;
}

/** What may be held back: a target, or a group as a whole. */
export interface Subject {
  readonly kind?: 'group';
  readonly name: string;
  readonly group?: string | undefined;
}

/** Both clocks: a pause is a duration, a window is by the calendar. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** Whether the scope has to do with the subject; a target's pause says nothing of its group. */
export function covers(scope: Scope, subject: Subject): boolean {
  if ('all' in scope) return true;
  if ('target' in scope) return subject.kind !== 'group' && subject.name === scope.target;
  return (subject.kind === 'group' ? subject.name : subject.group) === scope.group;
}

/** The scopes that have to do with it: three at most. */
export function scopesOf({ kind, name, group }: Subject): Scope[] {
  if (kind === 'group') return [{ all: true }, { group: name }];
  return [{ all: true }, ...(group === undefined ? [] : [{ group }]), { target: name }];
}

/** Names of the targets that a scope covers, found at once however many there are. */
export function coverageOf(targets: readonly Subject[]): (scope: Scope) => readonly string[] {
  const names = new Map<string, string[]>();
  for (const target of targets) {
    for (const key of scopesOf(target).map(scopeKey)) {
      const known = names.get(key);
      if (known) known.push(target.name);
      else names.set(key, [target.name]);
    }
  }
  return (scope) => names.get(scopeKey(scope)) ?? [];
}

/** Why nothing is told of it now and nothing done, in words; null where nobody wants that. */
export function hushedBecause(
  subject: Subject,
  pauses: Iterable<Pause>,
  windows: Iterable<OpenWindow>,
  { now, wall }: Moment,
): string | null {
  for (const pause of pauses) {
    if (now < pause.endsAt && covers(pause.scope, subject) && !isReleased(pause, subject))
      return `paused by ${pause.by}: ${pause.reason}`;
  }
  for (const { reason, targets, groups, from, until } of windows) {
    const names = subject.kind === 'group' ? groups : targets;
    if (names.has(subject.name) && from <= wall && wall < until) return `maintenance: ${reason}`;
  }
  return null;
}

/** Whether somebody who has paused it wants it out of traffic at `now`. */
export function isDrained(subject: Subject, pauses: Iterable<Pause>, now: number): boolean {
  for (const pause of pauses) {
    if (pause.drain && now < pause.endsAt && covers(pause.scope, subject) && !isReleased(pause, subject))
      return true;
  }
  return false;
}

function isReleased({ released }: Pause, { kind, name }: Subject): boolean {
  return released.has(scopeKey(kind === 'group' ? { group: name } : { target: name }));
}

/**
 * With what an attempt says of how a paused target heals; the same object where it says nothing. A target that has not failed
 * yet has not been touched: a deploy begins later than its pause. Failures of a target that is up are those of an agent
 * in doubt.
 */
export function withAttempt(
  pause: Pause,
  name: string,
  {
    status,
    state,
    threshold,
  }: { readonly status: Status; readonly state: State; readonly threshold: number },
): Pause {
  if (!pause.untilHealthy || pause.released.has(scopeKey({ target: name })) || status === 'void')
    return pause;
  const before = pause.healing[name];
  if (status === 'fail') {
    const believed = state !== 'up' && state !== 'unknown';
    return believed && before !== 0 ? { ...pause, healing: { ...pause.healing, [name]: 0 } } : pause;
  }
  if (before === undefined) return pause;
  if (before + 1 >= threshold) return withRelease(pause, [{ target: name }]);
  return { ...pause, healing: { ...pause.healing, [name]: before + 1 } };
}

/** The same pause, which does not hold these back any more. */
export function withRelease(pause: Pause, scopes: readonly Scope[]): Pause {
  const keys = new Set(scopes.map(scopeKey));
  const healing = Object.entries(pause.healing).filter(([target]) => !keys.has(scopeKey({ target })));
  return {
    ...pause,
    healing: Object.fromEntries(healing),
    released: new Set([...pause.released, ...keys]),
  };
}

/** Whether nothing is left of what it held back: all of the targets that it covers are released. */
export function isOver({ released }: Pause, covered: readonly string[]): boolean {
  // Counted first: it is asked at each release, and thousands may be released one by one.
  if (covered.length === 0 || released.size < covered.length) return false;
  return covered.every((target) => released.has(scopeKey({ target })));
}

/** What outlives the agent: plain JSON. */
export interface KeptPause extends Omit<Pause, 'endsAt' | 'released'> {
  readonly released: readonly string[];
}

export function keptOf(pause: Pause): KeptPause {
  const { endsAt: _, released, ...kept } = pause;
  return { ...kept, released: [...released] };
}

/** With what is left of it. A wall clock that was set back meanwhile does not prolong it beyond what was asked for. */
export function restored(kept: KeptPause, { now, wall }: Moment): Pause {
  const left = Math.min(kept.until - wall, kept.until - kept.at);
  return { ...kept, released: new Set(kept.released), endsAt: now + left };
}

/** Unique among pauses: who pauses the same again means the new one. */
export function scopeKey(scope: Scope): string {
  return 'all' in scope ? 'all' : 'target' in scope ? `target ${scope.target}` : `group ${scope.group}`;
}
