import { BRAKES, type Brakes } from '../core/brakes.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Group } from '../core/group.ts';
import type { Health, State } from '../core/health.ts';
import type { Attempt, Facts } from '../core/outcome.ts';
import type { Publication, PublishReport, PublishSettings } from '../core/publication.ts';
import {
  type KeptStanding,
  type Standing,
  changeOf,
  keptStanding,
  published,
  restoredStanding,
  sameSet,
  whyOut,
} from '../core/publish.ts';
import type { Target } from '../core/target.ts';
import { type PublishedFile, createPublishedFile } from './file.ts';

/** Keeps the available nodes of each group where consumers look. */
export interface Publisher {
  apply(options: PublisherSettings): void;
  /** After a target has been judged. */
  seen(target: Target, attempt: Attempt, health: Health): void;
  /** Null while not every member has been heard of; undefined where there is no such group. */
  publication(group: string): Publication | null | undefined;
  /** Undefined where nothing can be said of it. */
  member(target: string): MemberStanding | undefined;
  /** Until when its traffic is let go before anything is done about it, monotonic ms; null where it is published. */
  drainsUntil(target: Pick<Target, 'name'>): number | null;
  stop(): Promise<void>;
}

export interface PublisherSettings {
  readonly groups: readonly Group[];
  readonly targets: readonly Target[];
  readonly publish: PublishSettings;
  /** Of recovery: one panic is like the other. */
  readonly brakes: Brakes;
}

/** What a consumer is told of one member. */
export interface MemberStanding {
  readonly published: boolean;
  /** Somebody wants it out. */
  readonly drained: boolean;
  /** And not long ago: it has been told, and is to be taken back. */
  readonly wasDrained: boolean;
  /** Why it is out. */
  readonly why: string;
  /** Of its last attempt. */
  readonly facts: Facts | undefined;
}

export interface PublisherOptions {
  readonly clock: Clock;
  /** What was kept of the last run, and where standings are kept for the next one. */
  readonly rows: ReadonlyMap<string, KeptStanding>;
  readonly keep: (group: string, row: KeptStanding | null) => void;
  readonly isPaused: (target: Target) => boolean;
  readonly isDrained: (target: Target) => boolean;
  /** A step of its ladder has taken it out. */
  readonly isWithdrawn: (target: string) => boolean;
  /** A recovery of it is under way. */
  readonly isActedOn: (target: string) => boolean;
  readonly isDoubtful: () => boolean;
  readonly onReport: (report: PublishReport) => void;
}

/** What time alone changes (pauses, warming, panics) is looked at so often, ms. */
const LOOK_MS = 1_000;
/** In a group that is larger, what changes within so long, ms, is looked at together: thousands may fail at once. */
const LARGE = 200;
const GATHER_MS = 50;
/** So long after the end of a drain it is still told that it is over, ms. */
const UNDRAIN_MS = 600_000;

interface Member {
  target: Target;
  state: State;
  heard: boolean;
  message: string;
  facts: Facts | undefined;
  /** Monotonic ms at which somebody last wanted it out. */
  drainedAt: number;
}

interface Circle {
  group: Group;
  readonly members: Map<string, Member>;
  standing: Standing | null;
  doubtful: boolean;
  /** Something has changed, and is looked at soon. */
  gathers: Cancel | undefined;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { clock, rows, keep, isPaused, isDrained, isWithdrawn, isActedOn, isDoubtful, onReport } = options;
  const circles = new Map<string, Circle>();
  const groupOf = new Map<string, string>();
  const files = new Map<string, { readonly group: string; readonly file: PublishedFile }>();
  /** Files that are given up are written to the end before others take their place. */
  let ending: Promise<unknown> = Promise.resolve();
  let brakes = BRAKES;
  let cancelLook: Cancel = () => {};

  function judge(circle: Circle): void {
    const { group, members, standing: before } = circle;
    if (circles.get(group.name) !== circle) return;
    circle.gathers?.();
    circle.gathers = undefined;
    const now = clock.now();
    const doubtful = isDoubtful();
    const candidates = [...members.values()].map((member) => {
      const { target, state, heard } = member;
      const [name, held, drained] = [target.name, isPaused(target), isDrained(target)];
      if (drained) member.drainedAt = now;
      return { name, state, heard, held, drained, withdrawn: isWithdrawn(name), acted: isActedOn(name) };
    });
    const standing = published(before, candidates, { now, doubtful, warmMs: group.warmMs ?? 0, brakes });
    const isSame = sameSet(before, standing) && circle.doubtful === doubtful;
    circle.standing = standing;
    circle.doubtful = doubtful;
    if (!standing) return;
    if (!before || JSON.stringify(keptStanding(before)) !== JSON.stringify(keptStanding(standing))) {
      keep(group.name, keptStanding(standing));
    }
    if (!sameSet(before, standing)) onReport(changeOf(group.name, members.size, before, standing));
    if (!isSame) offer(group.name);
  }

  function offer(group: string): void {
    const publication = publicationOf(group);
    if (!publication) return;
    for (const entry of files.values()) if (entry.group === group) entry.file.offer(publication);
  }

  function publicationOf(name: string): Publication | null | undefined {
    const circle = circles.get(name);
    if (!circle) return undefined;
    const { standing, doubtful, members } = circle;
    if (!standing) return null;
    return {
      group: name,
      panic: standing.panic !== null,
      stale: doubtful,
      nodes: [...members.values()].map(({ target, state }) => ({
        name: target.name,
        address: target.serves?.address ?? null,
        weight: target.serves?.weight ?? 1,
        state,
        published: standing.published.has(target.name),
      })),
    };
  }

  function look(): void {
    cancelLook();
    for (const circle of circles.values()) judge(circle);
    if (circles.size > 0) cancelLook = clock.schedule(clock.now() + LOOK_MS, look);
  }

  function circleOf(target: string): Circle | undefined {
    return circles.get(groupOf.get(target) ?? '');
  }

  function applyFiles({ files: settings }: PublishSettings): void {
    const wanted = new Map(settings.map((one) => [JSON.stringify(one), one]));
    const gone = [...files].filter(([key]) => !wanted.has(key));
    for (const [key] of gone) files.delete(key);
    if (gone.length > 0) ending = Promise.all([ending, ...gone.map(([, { file }]) => file.stop())]);
    for (const [key, settings] of wanted) {
      if (files.has(key)) continue;
      const file = createPublishedFile({ settings, clock, onReport });
      files.set(key, { group: settings.group, file });
    }
  }

  return {
    apply({ groups, targets, publish, brakes: next }) {
      brakes = next;
      const byName = new Map(targets.map((target) => [target.name, target]));
      const before = new Map(circles);
      circles.clear();
      groupOf.clear();
      for (const group of groups) {
        const known = before.get(group.name);
        const kept = rows.get(group.name);
        const standing = known ? known.standing : kept ? restoredStanding(kept, clock.now()) : null;
        const members = new Map<string, Member>();
        for (const name of group.members) {
          const target = byName.get(name);
          const drainedAt = standing?.drained.has(name) ? clock.now() : -Infinity;
          const fresh = { state: 'unknown', heard: false, message: '', facts: undefined, drainedAt } as const;
          groupOf.set(name, group.name);
          if (target) members.set(name, { ...(known?.members.get(name) ?? fresh), target });
        }
        circles.set(group.name, {
          group,
          members,
          standing,
          doubtful: known?.doubtful ?? false,
          gathers: undefined,
        });
      }
      for (const name of new Set([...rows.keys(), ...before.keys()])) {
        if (!circles.has(name)) keep(name, null);
      }
      applyFiles(publish);
      look();
      // Addresses and weights may be others, in the same set.
      for (const { group } of circles.values()) offer(group.name);
    },
    seen(target, { outcome }, { state }) {
      const circle = circleOf(target.name);
      const member = circle?.members.get(target.name);
      if (!circle || !member) return;
      const isNew = member.state !== state || !member.heard;
      Object.assign(member, { state, heard: true, facts: outcome.facts });
      if (outcome.status === 'fail') member.message = outcome.message;
      if (isNew && circle.members.size <= LARGE) judge(circle);
      else if (isNew) circle.gathers ??= clock.schedule(clock.now() + GATHER_MS, () => judge(circle));
    },
    publication: publicationOf,
    member(name) {
      const circle = circleOf(name);
      const member = circle?.members.get(name);
      if (!member || !circle?.standing) return undefined;
      const { target, facts, drainedAt } = member;
      return {
        published: circle.standing.published.has(name),
        drained: isDrained(target),
        wasDrained: clock.now() - drainedAt < UNDRAIN_MS,
        why: whyOut(member, isWithdrawn(name)),
        facts,
      };
    },
    drainsUntil({ name }) {
      const { group, standing, gathers } = circleOf(name) ?? {};
      const since = gathers ? clock.now() : standing?.out.get(name);
      return since === undefined ? null : since + (group?.drainMs ?? 0);
    },
    async stop() {
      cancelLook();
      for (const { gathers } of circles.values()) gathers?.();
      circles.clear();
      await Promise.all([ending, ...[...files.values()].map(({ file }) => file.stop())]);
    },
  };
}
