import { z } from 'zod';
import { type Cel, cel } from '../../src/schema/cel.ts';
import { pattern } from '../../src/schema/pattern.ts';
import { duration, oneOrMore } from '../../src/schema/scalars.ts';
import { jsonRules } from './json-rules.ts';
import { VARIABLES } from './variables.ts';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** One code, or `from-to`. */
function statusRange(): z.ZodType<StatusRange> {
  return z
    .union([z.int(), z.string()], { error: 'expected a status or a range such as 200-299' })
    .transform((written, context) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(String(written));
      const from = Number(match?.[1]);
      const to = Number(match?.[2] ?? match?.[1]);
      const problem = !match
        ? `"${written}" is not a status or a range such as 200-299`
        : from < 100 || to > 599
          ? `${written} is outside of 100 to 599`
          : from > to
            ? `the range ${written} runs backwards`
            : undefined;
      if (problem === undefined) return { from, to };
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    })
    .meta({ as: 'status or range' });
}

/** The longest that is allowed; `< 800ms` says the same. */
function latencyLimit(): z.ZodType<number> {
  return z.preprocess((raw) => (typeof raw === 'string' ? raw.replace(/^<\s*/, '') : raw), duration());
}

const statuses = (): z.ZodType<StatusRange[]> => oneOrMore(statusRange());

const rules = {
  body: pattern().optional().describe('must match the body'),
  body_not: pattern().optional().describe('must not match the body'),
  headers: z
    .record(z.string(), pattern())
    .default({})
    .describe('by name: the header must be there, and one of its values must match'),
  headers_not: z
    .record(z.string(), pattern())
    .default({})
    .describe("by name: none of the header's values may match"),
  json: jsonRules()
    .default([])
    .meta({ otherwise: '`{}`' })
    .describe('by path, such as `$.db.lag_ms`: what stands there in a JSON body, or `< 500`, `!= "x"`'),
  cel: cel(VARIABLES, 'bool').optional().describe('a condition over the whole answer that must be true'),
  latency: latencyLimit()
    .optional()
    .describe('the longest that the attempt may take, all of it; `< 800ms` says the same'),
};

export const expectations = z
  .strictObject({
    status: statuses()
      .default([{ from: 200, to: 299 }])
      .meta({ otherwise: '`200-299`' })
      .describe('codes and ranges from 100 to 599; what is written replaces the default'),
    ...rules,
  })
  .prefault({});

export const warnings = z.strictObject({
  status: statuses().optional().describe('codes and ranges from 100 to 599'),
  ...rules,
});

export type Rules = z.infer<typeof warnings>;

/** Facts that the probe itself has. */
const OWN_FACT = /^(status$|tls_)/;

export const facts = z
  .record(z.string(), cel(VARIABLES, 'fact'))
  .superRefine((written, context) => {
    for (const name of Object.keys(written)) {
      const problem = !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
        ? `"${name}" is not a name for a fact (letters, digits and _)`
        : OWN_FACT.test(name)
          ? `the probe has a fact "${name}" of its own`
          : undefined;
      if (problem) context.addIssue({ code: 'custom', message: problem, path: [name] });
    }
  })
  .default({});

/** Whether the body has to be kept for them. */
export function readBody(rules: Rules | undefined): boolean {
  if (!rules) return false;
  return Boolean(rules.body || rules.body_not || rules.json.length > 0 || (rules.cel && usesBody(rules.cel)));
}

export function usesBody(expression: Cel): boolean {
  return expression.uses('body') || expression.uses('json');
}
