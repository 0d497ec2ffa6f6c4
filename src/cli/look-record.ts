import { round } from '../observe/log.ts';
import { attemptRecord } from './attempt-record.ts';
import type { Look, Seen } from './look.ts';
import { chainOf } from './picture/certificates.ts';
import { rulesOf } from './picture/rules.ts';
import { spansOf } from './picture/waterfall.ts';
import { whereOf } from './picture/where.ts';

/** The same as a person sees, for scripts: its keys stay. */
export function lookRecord(look: Look): unknown {
  const { target, written, attempt, seen } = look;
  return {
    ...attemptRecord(target, attempt),
    where: whereOf(written),
    at: new Date(attempt.at).toISOString(),
    timeout_ms: target.rules.timeoutMs,
    timeline: spansOf(look).map(({ phase, fromMs, toMs }) => ({
      phase,
      from_ms: round(fromMs),
      to_ms: round(toMs),
    })),
    exchange: seen.flatMap(exchanged),
    certificates: chainOf(look).map(({ subject, issuer, names, daysLeft }) => ({
      subject,
      issuer,
      names,
      days_left: daysLeft,
    })),
    rules: rulesOf(look).map(({ rule, passed, warns, value, wanted }) => ({
      rule,
      passed,
      warns,
      value,
      wanted: wanted ?? null,
    })),
  };
}

function exchanged({ atMs, entry }: Seen): readonly Record<string, unknown>[] {
  const at_ms = round(atMs);
  switch (entry.kind) {
    case 'note':
      return [{ at_ms, kind: 'note', what: null, text: entry.text }];
    case 'sent':
    case 'received':
      return [{ at_ms, kind: entry.kind, what: entry.what, text: entry.text }];
    default:
      return [];
  }
}
