import type { ProbeContext } from '../../src/core/probe.ts';
import { formatSize } from '../../src/core/units.ts';
import { type BytePattern, shortestReach } from '../../src/schema/pattern.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { type Ending, type Hearing, MAX_HEARD } from '../wire/hearing.ts';
import { shown } from '../wire/shown.ts';

/**
 * Matching runs over all that has come. A peer that trickles is looked at no more often than this, ms, and for no more
 * than a tenth of the time.
 */
const LOOK_EVERY_MS = 1;
const SHARE_OF_TIME = 10;
/** How long a peer has to be silent to have said what it had to say, ms. */
export const QUIET_MS = 50;

export const LINE_FEED = 0x0a;

export interface Rules {
  readonly expect?: BytePattern | undefined;
  readonly expect_hex?: Buffer | undefined;
  readonly expect_not?: BytePattern | undefined;
}

export const RULES = ['expect', 'expect_hex', 'expect_not'] as const satisfies (keyof Rules)[];

/** Tells of a rule that is decided. */
type Tell = (rule: keyof Rules, passed: boolean, value: string) => void;

/** What the rules find in what has come: whether there is what must not be, and where what is expected ends. */
interface Look {
  readonly unwanted: boolean;
  readonly end: number | undefined;
}

/**
 * Listens until the rules are decided. What was expected is used up, to the end of its match, and put out; the rest
 * stays. Rejects with ProbeFailure where a rule is missed, or can no longer be met.
 *
 * `expect_not` is held against all that has come, before what is expected. Beside an `expect` it also hears the end of
 * the line in which that matched; alone, it is satisfied once the peer has spoken and gone quiet, or closed.
 */
export async function listen(
  hearing: Hearing,
  rules: Rules,
  { clock, enter }: ProbeContext,
  tell: Tell | undefined,
): Promise<Buffer> {
  /** When the peer has said what it had to say, unless there is more. */
  let quietAt = Infinity;
  let isQuiet = false;
  const limit = shortestReach([rules.expect, rules.expect_not], MAX_HEARD);
  enter('wait');
  for (;;) {
    const lookedAt = clock.now();
    const all = hearing.heard();
    const heard = all.subarray(0, limit);
    if (heard.length > 0) enter('receive');
    const look = lookAt(heard, rules);
    const now = clock.now();
    const decided = decide(look, rules, {
      heard,
      limit,
      isMore: all.length > limit,
      ending: hearing.ending(),
      isQuiet: isQuiet || now >= quietAt,
    });
    if (decided !== undefined) {
      if (tell) tellAll(look, rules, heard, tell);
      if (decided instanceof Error) throw decided;
      hearing.useUp(decided);
      return heard.subarray(0, decided);
    }
    if (look.end !== undefined) quietAt = Math.min(quietAt, now + QUIET_MS);
    else if (!expects(rules) && heard.length > 0) quietAt = now + QUIET_MS;
    // Not by the clock alone: timers may be a little early.
    isQuiet = !(await hearing.more(quietAt));
    const pause = Math.max(LOOK_EVERY_MS, (now - lookedAt) * SHARE_OF_TIME);
    if (!isQuiet) await hearing.rest(Math.min(now + pause, quietAt));
  }
}

function expects({ expect, expect_hex }: Rules): boolean {
  return expect !== undefined || expect_hex !== undefined;
}

function lookAt(heard: Buffer, { expect, expect_hex, expect_not }: Rules): Look {
  // A pattern that is content with nothing still wants an answer.
  if (heard.length === 0) return { unwanted: false, end: undefined };
  const at = expect_hex ? heard.indexOf(expect_hex) : -1;
  return {
    unwanted: expect_not?.endOfMatch(heard) !== undefined,
    end: at === -1 ? expect?.endOfMatch(heard) : at + expect_hex!.length,
  };
}

interface Heard {
  /** What is looked at, up to the limit. */
  readonly heard: Buffer;
  readonly limit: number;
  /** Whether more has come than is looked at. */
  readonly isMore: boolean;
  readonly ending: Ending | undefined;
  readonly isQuiet: boolean;
}

/** How many bytes have served, or what went wrong; undefined while that is open. */
function decide(
  { unwanted, end }: Look,
  rules: Rules,
  { heard, limit, isMore, ending, isQuiet }: Heard,
): number | Error | undefined {
  const { expect_not } = rules;
  if (unwanted) return new ProbeFailure('mismatch', `the answer matches /${expect_not!.source}/`);
  const isFull = heard.length >= limit;
  if (end !== undefined) {
    const heardOut = !expect_not || isWholeLine(heard, end) || isQuiet || isFull || ending !== undefined;
    return heardOut ? end : undefined;
  }
  const tooLarge = (): Error => new ProbeFailure('too_large', `no match in the first ${formatSize(limit)}`);
  // What is not looked at may be the opposite of what was.
  if (isMore) return tooLarge();
  if (!expects(rules) && heard.length > 0 && (isQuiet || ending === 'closed')) return 0;
  if (ending !== undefined) return failureOf(ending, heard);
  return isFull ? tooLarge() : undefined;
}

/** Whether the line in which the match ended has come to its end. */
function isWholeLine(heard: Buffer, end: number): boolean {
  return heard.indexOf(LINE_FEED, Math.max(0, end - 1)) !== -1;
}

function tellAll({ unwanted, end }: Look, rules: Rules, heard: Buffer, tell: Tell): void {
  for (const rule of RULES) {
    if (rules[rule]) tell(rule, rule === 'expect_not' ? !unwanted : end !== undefined, shown(heard));
  }
}

/** What it means that the peer came to its end before it had said what it should. */
export function failureOf(ending: Ending, heard: Buffer): Error {
  if (ending instanceof Error) return ending;
  const how = { closed: 'closed the connection', reset: 'reset the connection', cut: 'cut TLS off' }[ending];
  const when =
    heard.length === 0 ? 'without a word' : `before the expected answer; it had said ${shown(heard)}`;
  return new ProbeFailure(ending === 'reset' ? 'reset' : 'closed', `the peer ${how} ${when}`);
}
