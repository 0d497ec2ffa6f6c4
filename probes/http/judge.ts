import { type Facts, type Outcome, type Reason, fail, ok, warn } from '../../src/core/outcome.ts';
import type { Trace } from '../../src/core/trace.ts';
import type { Cel, Values } from '../../src/schema/cel.ts';
import type { Pattern } from '../../src/schema/pattern.ts';
import { shown } from '../wire/shown.ts';
import { type Rules, readBody } from './rules.ts';
import type { HttpSettings } from './settings.ts';
import { type Answer, valuesOf } from './variables.ts';

const MOST_OF_A_FACT = 256;

/** Holds the answer against `expect` and `warn`, and reads the facts from it. */
export async function judgeAnswer(
  answer: Answer,
  { expect, warn: warnings, facts: wanted }: HttpSettings,
  /** ` from HOST`, where redirects have led away. */
  where: string,
  trace: Trace | undefined,
): Promise<Outcome> {
  const values = valuesOf(answer);
  const facts = { ...readFacts(wanted, values, trace), status: answer.status };
  const miss = await firstMiss(expect, { answer, values, name: 'expect', where, trace });
  const complaint =
    warnings && (!miss || trace)
      ? await firstMiss(warnings, { answer, values, name: 'warn', where, trace })
      : undefined;
  if (miss) return fail(miss.reason, miss.message, facts);
  return complaint ? warn(complaint.message, facts) : ok(`status ${answer.status}${where}`, facts);
}

interface Miss {
  readonly reason: Reason;
  readonly message: string;
}

interface Held {
  readonly answer: Answer;
  readonly values: Values;
  readonly name: 'expect' | 'warn';
  readonly where: string;
  readonly trace: Trace | undefined;
}

/** The first rule that does not hold. All of them are tried where somebody looks. */
async function firstMiss(
  rules: Rules,
  { answer, values, name, where, trace }: Held,
): Promise<Miss | undefined> {
  let first: Miss | undefined;
  /** True where nothing more has to be tried. */
  function hold(
    rule: string,
    passed: boolean,
    value: () => string,
    miss: () => string,
    reason: Reason,
  ): boolean {
    trace?.({
      kind: 'rule',
      rule: `${name}.${rule}`,
      passed,
      value: value(),
      ...(name === 'warn' && { warns: true }),
    });
    if (!passed) first ??= { reason, message: miss() };
    return first !== undefined && !trace;
  }

  const { status, headers, largerThan } = answer;
  if (rules.status) {
    const passed = rules.status.some(({ from, to }) => from <= status && status <= to);
    if (
      hold(
        'status',
        passed,
        () => String(status),
        () => `status ${status}${where}`,
        'status',
      )
    )
      return first;
  }
  if (largerThan !== undefined && readBody(rules)) {
    const message = (): string => `the body is larger than ${largerThan}`;
    if (hold('max_body', false, message, message, 'too_large')) return first;
  } else if (await holdBody(rules, answer, hold)) return first;
  if (holdHeaders(rules, headers, hold)) return first;
  for (const [rule, condition] of conditionsOf(rules)) {
    if (largerThan !== undefined && first) break;
    const result = condition.evaluate(values);
    const passed = 'value' in result && result.value;
    const value = (): string =>
      'problem' in result ? result.problem : condition.explain(values) || String(result.value);
    if (hold(rule, passed, value, () => `${name}.${rule}: ${missOf(condition, values)}`, 'mismatch'))
      return first;
  }
  if (rules.latency !== undefined) {
    const took = `${Math.round(answer.latencyMs)}ms`;
    const miss = (): string => `the latency of ${took} is above ${rules.latency}ms`;
    hold('latency', answer.latencyMs <= rules.latency, () => took, miss, 'mismatch');
  }
  return first;
}

type Hold = (
  rule: string,
  passed: boolean,
  value: () => string,
  miss: () => string,
  reason: Reason,
) => boolean;

async function holdBody({ body, body_not }: Rules, answer: Answer, hold: Hold): Promise<boolean> {
  const said = (): string => {
    const text = answer.text();
    return `${Buffer.byteLength(text)}B ${shown(Buffer.from(text.slice(0, 200)))}`;
  };
  if (body) {
    const miss = (): string => `the body does not match ${quoted(body)}`;
    if (hold('body', await answer.matches(body), said, miss, 'mismatch')) return true;
  }
  if (!body_not) return false;
  const miss = (): string => `the body matches ${quoted(body_not)}`;
  return hold('body_not', !(await answer.matches(body_not)), said, miss, 'mismatch');
}

function holdHeaders({ headers, headers_not }: Rules, sent: Answer['headers'], hold: Hold): boolean {
  for (const [name, wanted] of Object.entries(headers)) {
    const values = sent.get(name.toLowerCase());
    const miss = (): string =>
      values ? `the header ${name} does not match ${quoted(wanted)}` : `the header ${name} is missing`;
    const passed = values !== undefined && wanted.matchesAny(values);
    if (hold(`headers.${name}`, passed, () => values?.join(', ') ?? 'missing', miss, 'mismatch')) return true;
  }
  for (const [name, unwanted] of Object.entries(headers_not)) {
    const values = sent.get(name.toLowerCase()) ?? [];
    const miss = (): string => `the header ${name} matches ${quoted(unwanted)}`;
    const passed = !unwanted.matchesAny(values);
    if (hold(`headers_not.${name}`, passed, () => values.join(', ') || 'missing', miss, 'mismatch'))
      return true;
  }
  return false;
}

function conditionsOf({ json, cel }: Rules): [rule: string, condition: Cel<boolean>][] {
  const conditions = json.map(({ path, condition }): [string, Cel<boolean>] => [`json ${path}`, condition]);
  return cel ? [...conditions, ['cel', cel]] : conditions;
}

/** Why a condition does not hold, in words. */
function missOf(condition: Cel<boolean>, values: Values): string {
  const result = condition.evaluate(values);
  if ('problem' in result) return result.problem;
  const held = condition.explain(values);
  return held === '' ? 'it is false' : `it is false: ${held}`;
}

/** What cannot be read is no fact, and no failure either. */
function readFacts(wanted: HttpSettings['facts'], values: Values, trace: Trace | undefined): Facts {
  const facts: Record<string, string | number | boolean> = {};
  for (const [name, expression] of Object.entries(wanted)) {
    const read = expression.evaluate(values);
    if ('problem' in read) trace?.({ kind: 'note', text: `no fact ${name}: ${read.problem}` });
    else facts[name] = typeof read.value === 'string' ? read.value.slice(0, MOST_OF_A_FACT) : read.value;
  }
  return facts;
}

function quoted({ source }: Pattern): string {
  return `/${source}/`;
}
