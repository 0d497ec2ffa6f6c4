import type { Logger } from 'pino';
import type { BeatReport } from '../core/beat.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Observer } from '../core/observer.ts';

/** One line of a kind in so many ms: whoever can reach us could fill the disk otherwise. */
const LINE_EVERY_MS = 60_000;
/** So many targets and addresses are named in a line. */
const MOST_NAMED = 5;

const MESSAGES = { refused: 'requests refused', ignored: 'beats ignored' } as const;

interface Gathered {
  count: number;
  readonly why: Record<string, number>;
  readonly targets: Set<string>;
  readonly from: Set<string>;
}

/** Tells the log of beats that did not count, in sums. `end` tells what is left to tell. */
export function createBeatLog(log: Logger, clock: Clock): Observer & { end(): void } {
  const lines = { refused: rareLine('refused'), ignored: rareLine('ignored') };

  function rareLine(kind: keyof typeof MESSAGES) {
    let gathered: Gathered | undefined;
    let notBefore = -Infinity;
    let cancel: Cancel | undefined;
    function tell(): void {
      cancel?.();
      cancel = undefined;
      if (!gathered) return;
      const { count, why, targets, from } = gathered;
      gathered = undefined;
      notBefore = clock.now() + LINE_EVERY_MS;
      const named = targets.size > 0 && { targets: [...targets] };
      log.warn({ count, why, ...named, from: [...from] }, MESSAGES[kind]);
    }
    return {
      add({ why, target, from }: BeatReport): void {
        gathered ??= { count: 0, why: {}, targets: new Set(), from: new Set() };
        gathered.count++;
        gathered.why[why] = (gathered.why[why] ?? 0) + 1;
        name(gathered.targets, target);
        name(gathered.from, from);
        if (clock.now() >= notBefore) tell();
        else cancel ??= clock.schedule(notBefore, tell);
      },
      tell,
    };
  }

  return {
    onBeat(report) {
      if (report.result === 'accepted') log.debug({ target: report.target, from: report.from }, 'beat');
      else lines[report.result].add(report);
    },
    end() {
      lines.refused.tell();
      lines.ignored.tell();
    },
  };
}

function name(names: Set<string>, one: string | undefined): void {
  if (one !== undefined && names.size < MOST_NAMED) names.add(one);
}
