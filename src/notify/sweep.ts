import type { Cancel, Clock } from '../core/clock.ts';
import type { HookEvent } from '../core/hook.ts';
import type { Opening, Openings } from './openings.ts';

const SWEEP_MS = 60_000;

/**
 * Looks now and then for what a hook was told to have begun, and nobody will tell it the end of: whatever the agent knew of
 * it was lost between the two.
 */
export interface Sweep {
  begin(): void;
  stop(): void;
}

export interface SweepOptions {
  readonly clock: Clock;
  readonly openings: Pick<Openings, 'all'>;
  readonly isOver: (event: HookEvent) => boolean;
  readonly onOver: (opening: Opening) => void;
}

export function createSweep({ clock, openings, isOver, onOver }: SweepOptions): Sweep {
  let cancel: Cancel | undefined;

  function look(): void {
    for (const opening of openings.all()) if (isOver(opening.event)) onOver(opening);
    cancel = clock.schedule(clock.now() + SWEEP_MS, look);
  }

  return {
    begin() {
      cancel ??= clock.schedule(clock.now() + SWEEP_MS, look);
    },
    stop() {
      cancel?.();
    },
  };
}
