/**
 * What an expression may cost. Conditions run over what strangers sent, on the one thread that all targets share: nested
 * macros over a long list, or a search for one hostile text in another, would hold up every other probe. So each
 * evaluation has a budget in units of about 50 ns; what its lists, texts and comparisons weigh is taken from it before
 * the work is done. A program of CEL cannot loop otherwise, so this bounds it.
 *
 * cel-js has no such bound. Its checked nodes each have a `handle` that does the node's work; those are wrapped here,
 * once, when the expression is loaded.
 */
const BUDGET = 1_000_000;
/** Node's string search can take the product of both lengths. */
const SEARCHES = new Set(['contains', 'indexOf', 'lastIndexOf', 'split']);
const UNITS_FOR_A_CHARACTER: Readonly<Record<string, number>> = { split: 1 };
/** The parser behind `duration()` takes cubic time. */
const MAX_DURATION_TEXT = 64;

/** The parts of cel-js's nodes that are used here: its types show only the half of them. */
export interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly input: string;
  readonly meta: {
    readonly alternate?: Node;
    readonly macro?: Readonly<Record<string, unknown>>;
  };
  handle?: (...operands: unknown[]) => unknown;
}

let left = 0;
/** The lists that macros are going through, from the outermost on. */
const running: unknown[][] = [];

/** Macros and `||` go on after an error: that the budget is spent has to be asked in the end. */
const TOO_COSTLY = new Error('it would take too long over this answer');

/** Evaluates with a fresh budget. Throws where that is not enough. */
export function withinBudget<T>(evaluate: () => T): T {
  left = BUDGET;
  try {
    const value = evaluate();
    if (left >= 0) return value;
  } catch (error) {
    if (left >= 0) throw error;
  }
  throw TOO_COSTLY;
}

function charge(units: number): void {
  left -= units;
  if (left >= 0) return;
  // An item that is not there ends its macro for good.
  for (const items of running) items.length = 0;
  throw TOO_COSTLY;
}

/** The function that stands for `matches`, and what a character costs with the pattern of that source. */
export interface Matching {
  readonly name: string;
  unitsForACharacter(source: string): number;
}

/** Puts every operation of a checked expression under the budget. */
export function bound(root: Node, matching: Matching): void {
  for (const node of nodesOf(root)) {
    const { handle } = node;
    const weigh = weightOf(node, matching);
    if (!handle || !weigh) continue;
    const act = node.op === 'comprehension' ? overItems(handle) : handle;
    node.handle = (...operands) => {
      charge(weigh(operands));
      return act(...operands);
    };
  }
}

/** A macro over a list of our own, which can be emptied below it. */
function overItems(handle: NonNullable<Node['handle']>): NonNullable<Node['handle']> {
  return (items, ...rest) => {
    if (typeof items !== 'object' || items === null) return handle(items, ...rest);
    const own: unknown[] = Array.isArray(items) ? items.slice() : [...keysOf(items)];
    running.push(own);
    try {
      return handle(own, ...rest);
    } finally {
      running.pop();
    }
  };
}

/** How much work an operation of this kind has with its operands. */
function weightOf({ op, args }: Node, matching: Matching): ((operands: unknown[]) => number) | undefined {
  switch (op) {
    case 'comprehension':
      return ([items]) => 1 + 4 * lengthOf(items);
    case '==':
    case '!=':
      return ([a, b]) => 1 + Math.min(deepSize(a), deepSize(b));
    case 'in':
      return ([, list]) => 1 + deepSize(list);
    case '+':
      return ([a, b]) => 1 + (lengthOf(a) + lengthOf(b)) / 8;
    case 'call':
    case 'rcall':
      return callWeight((args as [string])[0], matching);
    default:
      return op.length <= 2 ? () => 1 : undefined;
  }
}

function callWeight(name: string, matching: Matching): (operands: unknown[]) => number {
  return ([operands]) => {
    const [first, second] = operands as unknown[];
    if (name === 'size' && typeof first !== 'string') return Array.isArray(first) ? 1 : 1 + lengthOf(first);
    if (name === 'duration' && lengthOf(first) > MAX_DURATION_TEXT) throw new Error('this is not a duration');
    const search = SEARCHES.has(name) ? (lengthOf(first) * lengthOf(second)) / 200 : 0;
    const forACharacter =
      name === matching.name
        ? matching.unitsForACharacter(second as string)
        : (UNITS_FOR_A_CHARACTER[name] ?? 0.1);
    return 2 + lengthOf(first) * forACharacter + lengthOf(second) / 8 + search;
  };
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Map) return value.size;
  return value instanceof Uint8Array ? value.length : Object.keys(value).length;
}

function keysOf(mapping: object): Iterable<unknown> {
  return mapping instanceof Map ? mapping.keys() : Object.keys(mapping);
}

/** Values inside of values, no further than the budget goes. */
function deepSize(value: unknown): number {
  let size = 0;
  const todo = [value];
  while (todo.length > 0 && size <= left) {
    const next = todo.pop();
    size++;
    if (typeof next === 'string') size += next.length / 64;
    else if (typeof next === 'object' && next !== null) todo.push(...partsOf(next, left - size));
  }
  return size;
}

function partsOf(value: object, most: number): unknown[] {
  const parts: unknown[] = Array.isArray(value)
    ? value
    : value instanceof Map
      ? [...value.values()]
      : Object.values(value);
  // What is longer than the budget need not be looked at, and cannot be spread as arguments either.
  if (parts.length > Math.min(most, 50_000)) charge(Infinity);
  return parts;
}

/** The expression and all that it is made of; what macros stand for, too. */
export function nodesOf(root: Node): Set<Node> {
  const nodes = new Set<Node>();
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const next = todo.pop();
    if (typeof next !== 'object' || next === null || nodes.has(next as Node)) continue;
    if (!isNode(next)) {
      todo.push(...(Array.isArray(next) ? next : Object.values(next)).filter(mayHoldNodes));
      continue;
    }
    nodes.add(next);
    todo.push(next.args, next.meta.alternate, next.meta.macro);
  }
  return nodes;
}

function isNode(value: object): value is Node {
  return 'op' in value && 'meta' in value;
}

/** Nodes stand in lists and in plain mappings; types and contexts, which lead everywhere, are neither. */
function mayHoldNodes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || isNode(value) || Object.getPrototypeOf(value) === Object.prototype;
}
