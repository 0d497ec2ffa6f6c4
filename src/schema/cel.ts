import { z } from 'zod';
import { suggest } from '../core/suggest.ts';
import { CelProblem, type Program, type Values, type Variables, compileCel } from './cel-program.ts';

export type { Values, Variables } from './cel-program.ts';

/** What an expression has to give: `bool` for a condition, or anything that a fact can be. */
export type CelResult = 'bool' | 'fact';

/** The result of an evaluation, or why there is none. */
export type Evaluated<T> = { readonly value: T } | { readonly problem: string };

/**
 * A condition or a value in the Common Expression Language (https://cel.dev), with its types checked. It cannot stall
 * the loop, whatever it is held against (see cel-bounds.ts).
 */
export class Cel<T extends FactValue = FactValue> {
  readonly source: string;
  readonly #variables: Variables;
  readonly #program: Program;
  readonly #result: CelResult;

  /** Throws CelProblem. */
  constructor(source: string, variables: Variables, result: CelResult) {
    this.source = source;
    this.#result = result;
    this.#variables = variables;
    this.#program = compileCel(source, variables);
    const { type } = this.#program;
    if (!STATIC_TYPES[result].includes(type))
      throw new CelProblem(`${WANTED[result]}, and this is ${type}`, 0);
  }

  uses(variable: string): boolean {
    return this.#program.uses(variable);
  }

  /** Never throws: a field that is not there is a problem, and so is a result that is not what was asked for. */
  evaluate(values: Values): Evaluated<T> {
    try {
      const value = this.#program.evaluate(values);
      const fact = typeof value === 'bigint' ? Number(value) : value;
      const fits = this.#result === 'bool' ? typeof fact === 'boolean' : isFactValue(fact);
      return fits
        ? { value: fact as T }
        : { problem: `${WANTED[this.#result]}, and this is ${shown(value)}` };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }

  /** The values that it was held against, for people: `json.db.lag_ms is 712, status is 200`. */
  explain(values: Values): string {
    return this.#program.reads
      .slice(0, MOST_SHOWN)
      .flatMap((path) => {
        const read = compileCel(path, this.#variables);
        try {
          return [`${path} is ${shown(read.evaluate(values))}`];
        } catch {
          return [];
        }
      })
      .join(', ');
  }

  /** Prints as the user wrote it. */
  toJSON(): string {
    return this.source;
  }
}

type FactValue = string | number | boolean;

const MOST_SHOWN = 4;
const SHOWN_LENGTH = 60;
const STATIC_TYPES: Readonly<Record<CelResult, readonly string[]>> = {
  bool: ['bool', 'dyn'],
  fact: ['int', 'uint', 'double', 'string', 'bool', 'dyn'],
};

/** An expression over these variables, checked when the configuration is loaded. */
export function cel(variables: Variables, result: 'bool'): z.ZodType<Cel<boolean>, string>;
export function cel(variables: Variables, result: 'fact'): z.ZodType<Cel, string>;
export function cel(variables: Variables, result: CelResult): z.ZodType<Cel, string> {
  return z
    .string()
    .transform((source, context) => {
      try {
        return new Cel(source, variables, result);
      } catch (error) {
        if (!(error instanceof CelProblem)) throw error;
        context.addIssue({ code: 'custom', message: inPlace(source, error, variables) });
        return z.NEVER;
      }
    })
    .meta({ as: 'CEL' });
}

const WANTED: Readonly<Record<CelResult, string>> = {
  bool: 'a condition is true or false',
  fact: 'a fact is a number, a text or true or false',
};

/** The problem, and below it the line of the expression that is meant, with a caret. */
function inPlace(source: string, { message, start }: CelProblem, variables: Variables): string {
  const before = source.slice(0, start);
  const from = before.lastIndexOf('\n') + 1;
  const line = source
    .slice(from)
    .split('\n', 1)[0]!
    .replaceAll(/[\t\r]/g, ' ');
  return `${message}${hint(message, variables)}\n    ${line}\n    ${' '.repeat(start - from)}^`;
}

function hint(message: string, variables: Variables): string {
  const name = /^unknown name "(.*)"$/.exec(message)?.[1];
  if (name === undefined) return '';
  const near = suggest(name, Object.keys(variables));
  return near === undefined
    ? `; there are ${Object.keys(variables).join(', ')}`
    : `; did you mean "${near}"?`;
}

function isFactValue(value: unknown): value is FactValue {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
