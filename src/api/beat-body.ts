import type { BeatMessage } from '../core/beat.ts';
import type { Facts } from '../core/outcome.ts';

const MOST_FACTS = 64;
const LONGEST_KEY = 100;
const LONGEST_TEXT = 500;
const DEEPEST = 4;
const SAYS = ['ok', 'warn', 'fail'] as const;

/** What a body says, and how many of its fields are too many, too long in their names, or no fact at all. */
export interface ReadBody {
  readonly message: BeatMessage;
  readonly dropped: number;
}

/** An empty body, or a JSON object; a text says what is wrong with it. */
export function readBody(body: Buffer | undefined): ReadBody | string {
  const written = body?.toString('utf8').trim() ?? '';
  if (written === '') return { message: { says: 'ok', facts: {} }, dropped: 0 };
  let fields: unknown;
  try {
    fields = JSON.parse(written);
  } catch {
    return 'the body is no JSON';
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return 'the body has to be a JSON object, or empty';
  }
  const { seq, boot, ...others } = fields as Record<string, unknown>;
  if (seq !== undefined && !Number.isFinite(seq)) return 'seq has to be a number';
  if (boot !== undefined && typeof boot !== 'string' && typeof boot !== 'number') {
    return 'boot has to be a text or a number';
  }
  const { status, message, ...rest } = others;
  const says = SAYS.find((word) => word === status);
  // Another word for a status is the node's own business.
  const { facts, dropped } = factsOf(says === undefined && status !== undefined ? { status, ...rest } : rest);
  return {
    message: {
      says: says ?? 'ok',
      ...(typeof message === 'string' && message !== '' && { message: cut(message) }),
      ...(seq !== undefined && { seq: seq as number }),
      ...(boot !== undefined && { boot: cut(String(boot)) }),
      facts,
    },
    dropped,
  };
}

/** `{ disk: { free: 3 } }` becomes `disk.free: 3`; lists and nulls are no facts. */
function factsOf(fields: Readonly<Record<string, unknown>>): { facts: Facts; dropped: number } {
  const facts = new Map<string, string | number | boolean>();
  let dropped = 0;
  function add(key: string, value: unknown, depth: number): void {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < DEEPEST) {
      for (const [inner, one] of Object.entries(value)) add(`${key}.${inner}`, one, depth + 1);
    } else if (facts.size >= MOST_FACTS || key.length > LONGEST_KEY || !isFact(value)) dropped++;
    else facts.set(key, typeof value === 'string' ? cut(value) : value);
  }
  for (const [key, value] of Object.entries(fields)) add(key, value, 1);
  return { facts: Object.fromEntries(facts), dropped };
}

function isFact(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

/** On one line, and not without end. */
function cut(text: string): string {
  return text.slice(0, LONGEST_TEXT).replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
}
