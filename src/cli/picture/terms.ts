import type { BlipTerms, ContractTerms } from '../../core/terms.ts';
import { formatDuration } from '../../core/units.ts';

/** What a contract comes to, and what it rests on: a name and a text for each. */
export function termRows(terms: ContractTerms): (readonly [name: string, text: string])[] {
  const { kept, watched_ms: watched } = terms;
  const can = `found within ${formatDuration(terms.detects_within_ms)}, a false one ${terms.false_down}`;
  const asked = `${formatDuration(terms.detect_within_ms)} and ${terms.max_false_down}`;
  return [
    kept
      ? ['kept', `${can}; asked for ${asked}`]
      : [
          'not kept',
          `${can}; asked for ${asked}, and for ${terms.max_false_down} it takes ${formatDuration(terms.needs_ms)}`,
        ],
    ...terms.blips.map((blips) => [blips.class, ground(blips, watched)] as const),
  ];
}

function ground({ count, mean_ms, heard_ms, wanted_ms, window_ms }: BlipTerms, watchedMs: number): string {
  const since = watchedMs === 0 ? 'nothing is measured yet' : `in ${formatDuration(watchedMs)}`;
  const seen =
    count === 0
      ? watchedMs === 0
        ? since
        : `no blip ${since}`
      : `${count} blip${count === 1 ? '' : 's'} ${since}, about ${formatDuration(mean_ms)} beyond the first ${formatDuration(heard_ms)}`;
  const less = window_ms < wanted_ms ? `, and has room for ${formatDuration(window_ms)}` : '';
  return `${seen}: wants a window of ${formatDuration(wanted_ms)}${less}`;
}
