import { z } from 'zod';
import { Cel } from '../../src/schema/cel.ts';
import { VARIABLES } from './variables.ts';

/** One entry below `json:`, as it was written, and the condition that it stands for. */
export interface JsonRule {
  readonly path: string;
  readonly condition: Cel<boolean>;
}

/** A mapping of paths to what has to stand there: short for conditions in CEL over `json`. */
export function jsonRules(): z.ZodType<JsonRule[], Record<string, string | number | boolean | null>> {
  return z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]).meta({ as: 'value' }))
    .transform((written, context) =>
      Object.entries(written).flatMap(([path, value]) => {
        const rule = ruleOf(path, value);
        if (typeof rule !== 'string') return [rule];
        context.addIssue({ code: 'custom', message: rule, path: [path] });
        return [];
      }),
    );
}

/** The rule, or what is wrong with it. */
function ruleOf(path: string, value: string | number | boolean | null): JsonRule | string {
  const place = placeOf(path);
  if (place === undefined) return `"${path}" is not a path such as $.db.lag_ms or $.nodes[0].state`;
  const comparison = comparisonOf(value);
  if (comparison === undefined) return `"${value}" lacks what to compare with`;
  try {
    return { path, condition: new Cel<boolean>(`${place} ${comparison}`, VARIABLES, 'bool') };
  } catch (error) {
    return (error as Error).message;
  }
}

const STEP = /^(?:\.([^.[\]"']+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\])/;
const KEYWORDS = new Set(['in', 'true', 'false', 'null']);

/** `$.db['lag-ms'][0]` as CEL says it; undefined for what is no path. */
function placeOf(path: string): string | undefined {
  let rest = path.startsWith('$') ? path.slice(1) : path.startsWith('[') ? path : `.${path}`;
  let place = 'json';
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (!match) return undefined;
    const [step, field, index] = match;
    const name = field ?? match[3] ?? match[4] ?? '';
    if (index !== undefined) place += `[${index}]`;
    else if (/^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name)) place += `.${name}`;
    else place += `[${JSON.stringify(name)}]`;
    rest = rest.slice(step.length);
  }
  return place;
}

/** Without an operator it has to be equal. Behind one, what reads as a number, as true, false or null is that. */
function comparisonOf(value: string | number | boolean | null): string | undefined {
  if (typeof value !== 'string') return `== ${value}`;
  const match = /^(<=|>=|==|!=|<|>)\s*(.*?)\s*$/s.exec(value);
  if (!match) return `== ${JSON.stringify(value)}`;
  const [, operator = '', operand = ''] = match;
  if (operand === '') return undefined;
  const literal = /^(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null|"[^"\\]*")$/.test(operand);
  return `${operator} ${literal ? operand : JSON.stringify(operand)}`;
}
