import { type Facts, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import type { Reply } from './message.ts';
import { normalise } from './record.ts';
import type { DnsSettings } from './settings.ts';

const LONGEST_FACT = 500;

interface Rule {
  readonly name: string;
  readonly value: string;
  /** What is wrong, or undefined where it holds. */
  readonly miss: string | undefined;
}

export function judge(
  reply: Reply,
  { type, expect }: DnsSettings,
  transport: string,
  { trace }: Pick<ProbeContext, 'trace'>,
): Outcome {
  const { rcode, authoritative, records } = reply;
  const texts = records.map(({ text }) => text);
  const all = texts.join(', ').slice(0, LONGEST_FACT);
  const facts: Facts = {
    rcode,
    authoritative,
    transport,
    answer_count: texts.length,
    ...(texts.length > 0 && { answers: all, ttl: Math.min(...records.map(({ ttl }) => ttl)) }),
  };
  const rcodeHolds = rcode === expect.rcode;
  trace?.({ kind: 'rule', rule: 'expect.rcode', passed: rcodeHolds, value: rcode });
  const rules = rulesOf(reply, texts, all, type, expect);
  for (const { name, value, miss } of rules) {
    trace?.({ kind: 'rule', rule: `expect.${name}`, passed: miss === undefined, value });
  }
  if (!rcodeHolds) return fail('status', `the server says ${rcode}`, facts);
  const miss = rules.find(({ miss }) => miss !== undefined)?.miss;
  if (miss !== undefined) return fail('mismatch', miss, facts);
  return ok(all === '' ? rcode : all, facts);
}

function rulesOf(
  { authoritative }: Reply,
  texts: readonly string[],
  all: string,
  type: DnsSettings['type'],
  { rcode, authoritative: wanted, min_answers, answers, pattern }: DnsSettings['expect'],
): Rule[] {
  const rules: Rule[] = [];
  const rule = (name: string, value: string, holds: boolean, miss: string): void =>
    void rules.push({ name, value, miss: holds ? undefined : miss });
  const least = min_answers ?? (rcode === 'NOERROR' ? 1 : 0);
  const here = all === '' ? `no ${type} record` : all;
  if (wanted !== undefined) {
    const is = authoritative ? 'authoritative' : 'not authoritative';
    rule('authoritative', String(authoritative), authoritative === wanted, `the answer is ${is}`);
  }
  rule(
    'min_answers',
    String(texts.length),
    texts.length >= least,
    `there are ${texts.length} ${type} records, and there should be ${least}`,
  );
  for (const answer of answers ?? []) {
    const holds = texts.includes(normalise(answer, type));
    rule('answers', here, holds, `"${answer}" is not among the answers: ${here}`);
  }
  if (pattern) {
    const holds = pattern.matchesAny(texts);
    rule('pattern', here, holds, `no answer matches /${pattern.source}/: ${here}`);
  }
  return rules;
}
