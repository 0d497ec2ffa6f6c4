import { type Facts, type Outcome, REASONS, fail, isReason, ok, warn } from '../../src/core/outcome.ts';

const LONGEST_MESSAGE = 500;
const LONGEST_FACT = 500;
const LONGEST_NAME = 100;
const MOST_FACTS = 100;

/** Why what a script returned is no outcome. */
export class NoOutcome extends Error {}

/**
 * What a script returned, as an outcome of bounded size. It is asked in the script's thread, where reading a property
 * can run code of the script, and once more in ours, of what came over.
 */
export function outcomeFrom(returned: unknown): Outcome {
  if (typeof returned !== 'object' || returned === null) {
    throw new NoOutcome(
      `returned ${kindOf(returned)} instead of ok(...), warn(...), fail(...) or voided(...)`,
    );
  }
  const { status, message, reason, facts } = ownOf(returned);
  if (typeof message !== 'string') throw new NoOutcome(`returned a message that is ${kindOf(message)}`);
  const said = cut(message, LONGEST_MESSAGE);
  const read = factsFrom(facts);
  switch (status) {
    case 'ok':
      return ok(said, read);
    case 'warn':
      return warn(said, read);
    case 'fail':
      if (isReason(reason)) return fail(reason, said, read);
      throw new NoOutcome(`failed for a reason that is not one of ${REASONS.join(', ')}`);
    case 'void':
      return { status, message: said, ...(read && { facts: read }) };
    default:
      throw new NoOutcome('returned an object that is no outcome: its status is not ok, warn, fail or void');
  }
}

/** What a script has put on the prototype of all objects is not what it returned. */
function ownOf(returned: object): Readonly<Record<string, unknown>> {
  const keys = ['status', 'message', 'reason', 'facts'].filter((key) => Object.hasOwn(returned, key));
  return {
    __proto__: null,
    ...Object.fromEntries(keys.map((key) => [key, (returned as Record<string, unknown>)[key]])),
  };
}

function factsFrom(given: unknown): Facts | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'object') throw new NoOutcome(`returned facts that are ${kindOf(given)}`);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  if (entries.length > MOST_FACTS) throw new NoOutcome(`returned more than ${MOST_FACTS} facts`);
  return Object.fromEntries(entries.map(([name, value]) => [cut(name, LONGEST_NAME), factFrom(name, value)]));
}

function factFrom(name: string, value: unknown): string | number | boolean {
  if (typeof value === 'string') return cut(value, LONGEST_FACT);
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  // Databases count in them.
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  const fact = cut(name, LONGEST_NAME);
  throw new NoOutcome(
    `returned a fact "${fact}" that is ${kindOf(value)}; facts are texts, finite numbers, true or false`,
  );
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}
