import type { TraceEntry } from '../../core/trace.ts';
import type { Look } from '../look.ts';
import { plain } from '../../core/plain.ts';
import { STATUS_COLOUR } from '../style.ts';
import { cut, displayWidth, padded } from '../width.ts';
import { INDENT, type Page, nameWidth } from './page.ts';
import { MARK } from './verdict.ts';

export interface RuleSeen {
  readonly rule: string;
  /** Null: neither, the outcome is void. */
  readonly passed: boolean | null;
  readonly warns: boolean;
  /** What came. */
  readonly value: string;
  /** What the settings ask for, as it is written there, behind `not` where it must not be; undefined for a default. */
  readonly wanted: string | undefined;
}

export function rulesOf({ seen, written }: Pick<Look, 'seen' | 'written'>): RuleSeen[] {
  return seen
    .map(({ entry }) => entry)
    .filter((entry): entry is Extract<TraceEntry, { kind: 'rule' }> => entry.kind === 'rule')
    .map(({ rule, passed, value, warns = false }) => ({
      rule,
      passed,
      warns,
      value,
      wanted: wantedAt(written, rule),
    }));
}

/** `body_not`, `steps[0].expect_not`, `expect.headers_not.via`; a header may be called `x_not` itself. */
const UNWANTED = /^(?:[^.]+\.)?\w+_not(?:\.|$)/;

/** `expect.status` and `steps[0].expect` are the places of rules in the settings. */
function wantedAt(written: unknown, rule: string): string | undefined {
  let at = written;
  for (const [, key = ''] of rule.matchAll(/([^.[\]]+)/g)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  if (at === undefined || at === null) return undefined;
  const text = typeof at === 'object' ? JSON.stringify(at) : String(at);
  return UNWANTED.test(rule) ? `not ${text}` : text;
}

/** Each rule with the mark of what it comes to, what came, and what was wanted. */
export function rules(look: Look, { paint, columns }: Page): string[] {
  const all = rulesOf(look);
  const names = all.map(({ rule }) => cut(plain(rule), nameWidth(columns)));
  const width = Math.max(0, ...names.map(displayWidth));
  return all.map(({ passed, warns, value, wanted }, index) => {
    const status = passed === null ? 'void' : passed ? 'ok' : warns ? 'warn' : 'fail';
    const mark = paint(STATUS_COLOUR[status], MARK[status]);
    const room = columns - INDENT.length - 2 - width - 2;
    const asked =
      wanted === undefined ? '' : `  wanted ${cut(plain(wanted), Math.max(16, Math.floor(room / 2)))}`;
    const came = cut(plain(value), Math.max(8, room - displayWidth(asked)));
    const name = padded(names[index]!, width);
    return `${INDENT}${mark} ${passed ? name : paint('bold', name)}  ${came}${asked === '' ? '' : paint('gray', asked)}`;
  });
}
