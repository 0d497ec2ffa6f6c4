import type { Clock } from '../core/clock.ts';
import { type Episode, current, failsSince, isMass, withMass } from '../core/episode.ts';
import type { Health } from '../core/health.ts';

/** Many targets that fail at once: it is them, or it is us. */
export interface MassGate {
  /** A target is suspect. Whether many are, and that has been found out just now. */
  look(): boolean;
  /** Id of the episode in which many targets fail together; null where none is under way. */
  episode(): string | null;
}

export interface MassGateOptions {
  readonly clock: Clock;
  /** Those of which somebody wants to hear: what is being deployed falls by itself. */
  readonly watched: () => readonly { readonly name: string; readonly health: Health }[];
  /** Undefined where there is no such target any more. */
  readonly health: (name: string) => Health | undefined;
  /** The agent is in doubt of itself: what fails now may not fail. */
  readonly isDoubtful: () => boolean;
  /** The anchors say that it is us. */
  readonly isUs: () => boolean;
}

/** Whether many fail together is looked at so often at most, ms: there may be thousands. */
const LOOK_MS = 500;

export function createMassGate({ clock, watched, health, isDoubtful, isUs }: MassGateOptions): MassGate {
  let lookedAt = -Infinity;
  let episode: Episode | null = null;

  function isUp(name: string): boolean {
    const state = health(name)?.state ?? 'up';
    return state === 'up';
  }

  function underWay(): Episode | null {
    episode = isUs() ? null : current(episode, clock.now(), isUp);
    return episode;
  }

  return {
    look() {
      const now = clock.now();
      if (now - lookedAt < LOOK_MS) return false;
      lookedAt = now;
      const fleet = watched();
      if (
        !isMass(
          fleet.map((one) => one.health),
          now,
        )
      )
        return false;
      if (!isDoubtful()) {
        const failing = fleet.filter((one) => failsSince(one.health, now) !== null).map(({ name }) => name);
        episode = withMass(underWay(), { now, wall: clock.wallTime(), failing });
      }
      return true;
    },
    episode: () => underWay()?.id ?? null,
  };
}
