import { access } from 'node:fs/promises';
import type { Cancel, Clock } from '../core/clock.ts';

/** A file whose presence switches recovery off. */
export interface OffFile {
  /** From now on it is this one; null for none. */
  watch(path: string | null): void;
  /** Why nothing is done; null where the file is not there. */
  because(): string | null;
  stop(): void;
}

const LOOK_MS = 1_000;

export function createOffFile(clock: Clock): OffFile {
  let path: string | null = null;
  let why: string | null = null;
  let cancel: Cancel = () => {};
  let looks = 0;

  async function look(): Promise<void> {
    const mine = looks;
    const found = path === null ? null : await reasonOf(path);
    if (mine !== looks) return;
    why = found;
    if (path !== null) cancel = clock.schedule(clock.now() + LOOK_MS, () => void look());
  }

  function end(): void {
    looks++;
    cancel();
  }

  return {
    watch(next) {
      if (next === path) return;
      end();
      path = next;
      // Until it was looked at, it may be there.
      why = next === null ? null : `${next} was not looked at yet`;
      void look();
    },
    because: () => why,
    stop: end,
  };
}

/** Whoever cannot tell takes it to be there. */
async function reasonOf(path: string): Promise<string | null> {
  try {
    await access(path);
    return `${path} is there`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : `${path} cannot be looked at (${code})`;
  }
}
