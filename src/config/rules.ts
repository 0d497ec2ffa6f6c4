import type { ConfirmWindows } from '../core/evidence.ts';
import type { EvidenceClass } from '../core/outcome.ts';
import type { Rules } from '../core/target.ts';
import { formatDuration, parseDuration } from '../core/units.ts';
import type { Asked } from './contract.ts';
import { RULE_DEFAULTS } from './schema.ts';

/** The rules in force, or undefined where they contradict each other or are not even durations. */
export function rulesOf(
  written: Record<string, unknown>,
  defaults: Record<string, unknown>,
  problem: (key: string, message: string) => void,
): Omit<Rules, 'confirm'> | undefined {
  const duration = (key: 'interval' | 'timeout' | 'retry_interval'): number | undefined => {
    const value = written[key] ?? defaults[key];
    return typeof value === 'string'
      ? parseDuration(value)
      : value === undefined
        ? RULE_DEFAULTS[key]
        : undefined;
  };
  const count = (
    key: 'failure_threshold' | 'success_threshold' | `${'degraded' | 'restored'}_threshold`,
  ): number => Number(written[key] ?? defaults[key] ?? RULE_DEFAULTS[key]);
  const learned = (key: 'suspect_after' | 'slow_after'): 'auto' | 'off' | number => {
    const value = String(written[key] ?? defaults[key] ?? RULE_DEFAULTS[key]);
    return value === 'auto' || value === 'off' ? value : parseDuration(value)!;
  };
  const intervalMs = duration('interval');
  const timeoutMs = duration('timeout');
  const retryMs = duration('retry_interval');
  if (intervalMs === undefined || timeoutMs === undefined || retryMs === undefined) return undefined;
  const timeoutIsWritten = (written['timeout'] ?? defaults['timeout']) !== undefined;
  if (timeoutIsWritten && timeoutMs > intervalMs) {
    const key =
      written['timeout'] === undefined && written['interval'] !== undefined ? 'interval' : 'timeout';
    problem(
      key,
      `the timeout ${formatDuration(timeoutMs)} is above the interval ${formatDuration(intervalMs)}`,
    );
    return undefined;
  }
  // What nobody wrote gives way to the interval.
  const boundMs = Math.min(timeoutMs, intervalMs);
  for (const key of ['suspect_after', 'slow_after'] as const) {
    const after = learned(key);
    if (typeof after !== 'number' || after < boundMs) continue;
    problem(
      written[key] === undefined && written['timeout'] !== undefined ? 'timeout' : key,
      `${key} ${formatDuration(after)} is not below the timeout ${formatDuration(boundMs)}: it would never act`,
    );
    return undefined;
  }
  return {
    intervalMs,
    timeoutMs: boundMs,
    retryIntervalMs: Math.min(retryMs, intervalMs),
    failureThreshold: count('failure_threshold'),
    successThreshold: count('success_threshold'),
    degradedThreshold: count('degraded_threshold'),
    restoredThreshold: count('restored_threshold'),
    suspectAfter: learned('suspect_after'),
    slowAfter: learned('slow_after'),
  };
}

/** The defaults as a contract leaves them: the least interval there can be stands where none is written. */
export function defaultsUnder(
  { own }: Pick<Asked, 'own'>,
  written: Record<string, unknown>,
  defaults: Record<string, unknown>,
): Record<string, unknown> {
  if (!own && defaults['interval'] !== undefined) return defaults;
  const longest = (['timeout', 'retry_interval'] as const).map(
    (key) => parseDuration(String(written[key] ?? defaults[key])) ?? RULE_DEFAULTS[key],
  );
  return { ...defaults, interval: `${Math.max(...longest)}ms` };
}

/** The target's own windows, else the file's, else the defaults. */
export function windowsOf(
  ...layers: (Partial<Record<EvidenceClass, number | undefined>> | undefined)[]
): ConfirmWindows {
  const window = (cls: EvidenceClass): number =>
    layers.find((layer) => layer?.[cls] !== undefined)?.[cls] ?? RULE_DEFAULTS.confirm[cls];
  return { explicit: window('explicit'), silent: window('silent'), path: window('path') };
}

export function wordsOf(rules: Rules): Record<string, unknown> {
  return {
    interval: formatDuration(rules.intervalMs),
    timeout: formatDuration(rules.timeoutMs),
    retry_interval: formatDuration(rules.retryIntervalMs),
    failure_threshold: rules.failureThreshold,
    success_threshold: rules.successThreshold,
    degraded_threshold: rules.degradedThreshold,
    restored_threshold: rules.restoredThreshold,
    suspect_after: learnedWord(rules.suspectAfter),
    slow_after: learnedWord(rules.slowAfter),
    confirm: {
      explicit: formatDuration(rules.confirm.explicit),
      silent: formatDuration(rules.confirm.silent),
      path: formatDuration(rules.confirm.path),
    },
  };
}

function learnedWord(value: 'auto' | 'off' | number): string {
  return typeof value === 'number' ? formatDuration(value) : value;
}
