import { Environment, type EvaluationError, ParseError, TypeError } from '@marcbachmann/cel-js';
import { type Node, bound, nodesOf, withinBudget } from './cel-bounds.ts';
import { Pattern } from './pattern.ts';

/** The names that an expression may use, with their types; the same object for all that share them. */
export type Variables = Readonly<Record<string, VariableType>>;
export type VariableType = 'int' | 'double' | 'string' | 'dyn' | 'map<string, string>';

/** Values by name. A getter is only asked where the expression uses the name. Whole numbers are bigint for `int`. */
export type Values = Readonly<Record<string, unknown>>;

export interface Program {
  readonly type: string;
  /** Whether this variable is used. */
  uses(variable: string): boolean;
  /** The places in the values that it reads, as they are written: `json.db.lag_ms`. */
  readonly reads: readonly string[];
  /** Throws an Error with a message for people. */
  evaluate(values: Values): unknown;
}

/** An expression that is refused, with the part that is meant. */
export class CelProblem extends Error {
  readonly start: number;
  constructor(message: string, start: number) {
    super(message);
    this.start = start;
  }
}

const MAX_NODES = 2_000;
const MAX_DEPTH = 64;

/** Parses, checks the types, and puts the expression under its bounds. Throws CelProblem. */
export function compileCel(source: string, variables: Variables): Program {
  const environment = environmentOf(variables);
  try {
    const parsed = environment.parse(source);
    const ast = parsed.ast as unknown as Node;
    const nodes = [...nodesOf(ast)];
    for (const node of nodes) useLinearPatterns(node);
    const checked = parsed.check();
    if (!checked.valid) throw checked.error!;
    bound(ast, { name: LINEAR_MATCHES, unitsForACharacter });
    const used = new Set(nodes.filter(({ op }) => op === 'id').map(({ args }) => args as string));
    return {
      type: checked.type!,
      uses: (name) => used.has(name),
      reads: readsOf(nodes, variables),
      evaluate(values) {
        try {
          return withinBudget(() => parsed(values) as unknown);
        } catch (error) {
          throw new Error(inWords(error), { cause: error });
        }
      },
    };
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof TypeError)) throw error;
    throw new CelProblem(inWords(error), error.range?.start ?? 0);
  }
}

const environments = new WeakMap<Variables, Environment>();

function environmentOf(variables: Variables): Environment {
  let environment = environments.get(variables);
  if (environment) return environment;
  environment = new Environment({ limits: { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH } });
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  environment.registerFunction(`string.${LINEAR_MATCHES}(string): bool`, matches, { async: false });
  addMixedArithmetic(environment);
  environment.registerFunction('typesAreShallow(): bool', typesAreShallow, { async: false });
  environment.evaluate('typesAreShallow()');
  environments.set(variables, environment);
  return environment;
}

/**
 * Makes cel-js look no deeper into a value than its own type (it hands handlers its evaluator as `this`). Else it names
 * the type of each list and mapping down to the bottom and keeps that name for good, and strangers choose the shapes.
 */
function typesAreShallow(this: { debugType: unknown; debugTypeDeep: unknown }): boolean {
  this.debugTypeDeep = this.debugType;
  return true;
}

/** cel-js would take Node's own regular expressions for `matches`, which a hostile text can stall. */
const LINEAR_MATCHES = 'linear_matches';
const patterns = new Map<string, Pattern>();

function matches(text: string, source: string): boolean {
  return patterns.get(source)!.matches(text);
}

/** The least is what the search for a literal takes; in the worst case it is 10 ns for each instruction. */
function unitsForACharacter(source: string): number {
  return Math.max(0.3, 0.2 * patterns.get(source)!.size);
}

function useLinearPatterns({ op, args }: Node): void {
  if (op !== 'rcall') return;
  const call = args as [name: string, receiver: Node, parameters: Node[]];
  const [pattern] = call[2];
  if (call[0] !== 'matches' || !pattern) return;
  if (pattern.op !== 'value' || typeof pattern.args !== 'string') {
    throw new CelProblem('the pattern of matches has to be written out', pattern.start);
  }
  try {
    if (!patterns.has(pattern.args)) patterns.set(pattern.args, new Pattern(pattern.args));
  } catch (error) {
    throw new CelProblem(`the pattern does not compile: ${(error as Error).message}`, pattern.start);
  }
  call[0] = LINEAR_MATCHES;
}

/** JSON has one kind of number, and CEL has two: whole ones may be written beside those that were read. */
function addMixedArithmetic(environment: Environment): void {
  const operations: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  for (const [op, act] of Object.entries(operations)) {
    for (const [a, b] of [
      ['int', 'double'],
      ['double', 'int'],
    ]) {
      environment.registerOperator(
        `${a} ${op} ${b}: double`,
        (left: bigint | number, right: bigint | number) => act(Number(left), Number(right)),
      );
    }
  }
}

/** Chains of fields that begin at a variable. Inside of a macro, its own variable may hide one: then none is told. */
function readsOf(nodes: readonly Node[], variables: Variables): string[] {
  const hidden = nodes.some(
    ({ op, args }) => op === 'comprehension' && (args as { iterVarName: string }).iterVarName in variables,
  );
  if (hidden) return [];
  const inner = new Set(nodes.filter(isAccess).map(({ args }) => (args as Node[])[0]));
  const chains = nodes.filter((node) => (isAccess(node) || node.op === 'id') && !inner.has(node));
  const texts = chains
    .filter((chain) => isFixed(chain, variables))
    .toSorted((a, b) => a.start - b.start)
    .map(({ input, start, end, op, args }) =>
      op === '.' ? textOf(input, end, args) : input.slice(start, end),
    );
  return [...new Set(texts)];

  /** A field's node begins at the field's name in cel-js, or at its root: the text is cut from the root on. */
  function textOf(input: string, end: number, args: unknown): string {
    let root = (args as Node[])[0]!;
    while (isAccess(root)) root = (root.args as Node[])[0]!;
    return input.slice(root.start, end);
  }
}

function isAccess({ op }: Node): boolean {
  return op === '.' || op === '[]';
}

function isFixed(node: Node, variables: Variables): boolean {
  if (node.op === 'id') return (node.args as string) in variables;
  const [root, key] = node.args as [Node, Node | string];
  return isAccess(node) && isFixed(root, variables) && (typeof key === 'string' || key.op === 'value');
}

/** What is wrong, in one line. */
function inWords(error: unknown): string {
  if (error instanceof RangeError) return 'this answer is nested too deeply';
  const { code, summary } = error as Partial<EvaluationError>;
  const text = (summary ?? (error as Error).message)
    .replaceAll(LINEAR_MATCHES, 'matches')
    .replaceAll(/dyn<(.*?)>/g, '$1');
  const subject = /: ([^:]*)$/.exec(text)?.[1] ?? '';
  switch (code) {
    case 'no_such_key':
      return `there is no "${subject}"`;
    case 'unknown_variable':
      return error instanceof TypeError ? `unknown name "${subject}"` : `there is no ${subject} here`;
    case 'no_such_overload':
      return `these types do not go together: ${text.slice(text.indexOf(': ') + 2)}`;
    case 'no_matching_overload':
      return `there is no function ${text.replace(/^.*? for '(.*)'$/, '$1')}`;
    default:
      return text.charAt(0).toLowerCase() + text.slice(1);
  }
}
