import { type Brakes, type Panic, panicOf } from './brakes.ts';
import type { State } from './health.ts';
import type { PublishReport } from './publication.ts';

/** A member of a group, as far as it decides whether consumers may use it. */
export interface Candidate {
  readonly name: string;
  readonly state: State;
  /** An attempt has said something of it since the agent started, if only that it could not tell. */
  readonly heard: boolean;
  /** Nobody wants anything to happen to it: it is paused. */
  readonly held: boolean;
  /** Somebody wants it out, whatever its state. */
  readonly drained: boolean;
  /** Its ladder has taken it out, and it has not proved itself since. */
  readonly withdrawn: boolean;
  /** A recovery is under way that is not verified yet. */
  readonly acted: boolean;
}

/** Which members of a group consumers are to use. Times are monotonic ms. */
export interface Standing {
  /** Those that are available. */
  readonly available: ReadonlySet<string>;
  /** Those that are published: in a panic all that nobody has drained. */
  readonly published: ReadonlySet<string>;
  readonly panic: Panic | null;
  /** Since when members have been up that are not back yet. */
  readonly warming: ReadonlyMap<string, number>;
  /** Those that somebody wants out. */
  readonly drained: ReadonlySet<string>;
  /** Those that are not published, since when. */
  readonly out: ReadonlyMap<string, number>;
}

export interface Circumstances {
  readonly now: number;
  /** The agent does not know what it sees. */
  readonly doubtful: boolean;
  /** How long a member that was out has to be up before it is back, ms. */
  readonly warmMs: number;
  readonly brakes: Brakes;
}

/**
 * What is published from now on; null while nothing can be: a file that somebody relies on is not replaced by less than
 * the whole picture. Out is what a verdict or a person has taken out; what nobody knows stays as it last stood. In doubt
 * all stays as it is.
 */
export function published(
  before: Standing | null,
  members: readonly Candidate[],
  circumstances: Circumstances,
): Standing | null {
  const { now, doubtful, warmMs, brakes } = circumstances;
  if (before === null && (doubtful || !members.every(({ heard }) => heard))) return null;
  const wasIn = (name: string): boolean => before?.available.has(name) ?? false;
  const warming = new Map<string, number>();

  function isIn({ name, state, held, drained, withdrawn, acted }: Candidate): boolean {
    if (drained || withdrawn) return false;
    if (doubtful) return wasIn(name);
    switch (state) {
      case 'up': {
        if (wasIn(name) || before === null) return true;
        if (acted) return false;
        const since = before.warming.get(name) ?? now;
        if (now - since >= warmMs) return true;
        warming.set(name, since);
        return false;
      }
      case 'unknown':
      case 'suspect':
        return wasIn(name);
      case 'down':
      case 'recovering':
        return held && wasIn(name);
    }
  }

  const available = new Set(members.filter(isIn).map(({ name }) => name));
  // Who was never known is no sign of anything, and neither is what somebody wants.
  const counted = members.filter(
    ({ name, state, drained }) => !drained && (state !== 'unknown' || wasIn(name)),
  );
  const bad = counted.filter(({ name }) => !available.has(name)).length;
  const last = before?.panic ?? null;
  const panic = doubtful ? last : panicOf(last, { size: counted.length, bad }, now, brakes);
  // So many cannot be bad at once: then what is believed of any of them says nothing.
  const isOpen = ({ name, heard, drained, acted }: Candidate): boolean =>
    panic !== null && !drained && !acted && (heard || (before?.published.has(name) ?? false));
  const isPublished = (member: Candidate): boolean => available.has(member.name) || isOpen(member);
  const all = new Set(members.filter(isPublished).map(({ name }) => name));
  const out = new Map(
    members.flatMap(({ name }) => (all.has(name) ? [] : [[name, before?.out.get(name) ?? now] as const])),
  );
  const drained = new Set(members.filter((member) => member.drained).map(({ name }) => name));
  return { available, published: all, panic, warming, drained, out };
}

/** Why a member is not published: what its probe said last, where it is not up. */
export function whyOut(
  { state, message }: { readonly state: State; readonly message: string },
  isWithdrawn: boolean,
): string {
  if (state !== 'up') return message === '' ? state : `${state}: ${message}`;
  return isWithdrawn ? 'withdrawn by its recovery' : 'warming up';
}

/** Whether consumers would notice. */
export function sameSet(a: Standing | null, b: Standing | null): boolean {
  if (!a || !b) return a === b;
  return (
    (a.panic === null) === (b.panic === null) &&
    a.published.size === b.published.size &&
    [...a.published].every((name) => b.published.has(name))
  );
}

/** What has changed in a group of `of`, for the log. */
export function changeOf(
  group: string,
  of: number,
  before: Standing | null,
  { published, panic }: Standing,
): PublishReport {
  const last = before?.published ?? new Set<string>();
  return {
    what: 'set',
    group,
    panic: panic !== null,
    published: published.size,
    of,
    added: [...published].filter((name) => !last.has(name)),
    removed: [...last].filter((name) => !published.has(name)),
  };
}

/** What outlives the agent, so that a restart takes nobody out and nobody in. */
export interface KeptStanding {
  readonly available: readonly string[];
  readonly published: readonly string[];
  readonly panic: boolean;
  readonly drained: readonly string[];
}

export function keptStanding({ available, published, panic, drained }: Standing): KeptStanding {
  return {
    available: [...available],
    published: [...published],
    panic: panic !== null,
    drained: [...drained],
  };
}

/** A panic begins to be over anew: how long it has been calm is not known. */
export function restoredStanding(kept: KeptStanding, now: number): Standing {
  return {
    available: new Set(kept.available),
    published: new Set(kept.published),
    panic: kept.panic ? { since: now, calmSince: null, acked: false } : null,
    warming: new Map(),
    drained: new Set(kept.drained),
    out: new Map(),
  };
}
