/** Durations, rates and sizes as people write them: `500ms`, `1m30s`, `1/30d`, `64KiB`. */

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest delay Node's timers take; above it they fire at once. */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/** `1m30s` -> 90000, in whole milliseconds; undefined where the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(count) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS];
  }
  return Math.round(total);
}

/** 90000 -> `1m30s`; 1234.5 -> `1.23s`; what a person reads in a table or a log line. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${trim(ms, 1)}ms`;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${trim(ms / 1_000, 2)}s`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = DURATION_UNITS[unit];
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.slice(0, 2).join('');
}

/** So many within so long. */
export interface Rate {
  readonly most: number;
  readonly withinMs: number;
}

/** `3/30m` -> 3 within 1800000 ms; undefined where the text is not a rate. */
export function parseRate(text: string): Rate | undefined {
  const [, most, within = ''] = /^([1-9]\d{0,5})\s*\/\s*(\S+)$/.exec(text) ?? [];
  const withinMs = parseDuration(within);
  return most !== undefined && withinMs ? { most: Number(most), withinMs } : undefined;
}

export function formatRate({ most, withinMs }: Rate): string {
  return `${most}/${formatDuration(withinMs)}`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

const SIZE_UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** `64KiB` -> 65536; undefined where the text is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  return match ? Math.round(Number(match[1]) * SIZE_UNITS[match[2] as keyof typeof SIZE_UNITS]) : undefined;
}

export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= SIZE_UNITS[unit]) return `${trim(bytes / SIZE_UNITS[unit], 1)}${unit}`;
  }
  return `${bytes}B`;
}

/** `1 target`, `2 targets`, `2 tries` */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
