import type { Values } from '../../src/schema/cel.ts';
import type { Pattern } from '../../src/schema/pattern.ts';
import { printable } from '../wire/printable.ts';

/** What conditions and facts are about. */
export const VARIABLES = {
  status: 'int',
  headers: 'map<string, string>',
  body: 'string',
  json: 'dyn',
  latency_ms: 'double',
  tls_days_left: 'int',
} as const;

/** The answer that rules are held against. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The body as UTF-8. */
  text(): string;
  /** Whether a pattern matches the body, all of it. Rejects where the attempt is aborted. */
  matches(pattern: Pattern): boolean | Promise<boolean>;
  /** Set where the body was not read: the limit, for people. */
  readonly largerThan: string | undefined;
  /** From the start of the attempt to the end of the answer. */
  readonly latencyMs: number;
  /** Of the certificate of the server that answered, if it showed one. */
  readonly tlsDaysLeft: number | undefined;
}

/** Its values by the names of VARIABLES. What costs something is made when it is first asked for. */
export function valuesOf(answer: Answer): Values {
  let json: (() => unknown) | undefined;
  return {
    status: BigInt(answer.status),
    latency_ms: answer.latencyMs,
    tls_days_left: answer.tlsDaysLeft === undefined ? undefined : BigInt(answer.tlsDaysLeft),
    get headers() {
      return new Map([...answer.headers].map(([name, values]) => [name, values.join(', ')]));
    },
    get body() {
      return bodyOf(answer);
    },
    get json() {
      json ??= readOnce(() => parseJson(bodyOf(answer)));
      return json();
    },
  };
}

function bodyOf(answer: Answer): string {
  if (answer.largerThan !== undefined) throw new Error(`the body is larger than ${answer.largerThan}`);
  return answer.text();
}

/** The result of the one call, for all rules that ask; so with what it throws. */
function readOnce(read: () => unknown): () => unknown {
  try {
    const value = read();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** More values than this would hold up all other probes while they are read. */
const MOST_VALUES = 50_000;

function parseJson(text: string): unknown {
  if (valuesIn(text) > MOST_VALUES) throw new Error('the body has too many values to be read as JSON');
  try {
    return withMaps(JSON.parse(text.replace(/^\ufeff/, '')));
  } catch {
    throw new Error(
      text === '' ? 'the body is empty, and not JSON' : `the body is not JSON: ${printable(text)}`,
    );
  }
}

/** Counts what opens or parts values, `{ [ , :`, outside of strings. */
function valuesIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x2c:
      case 0x3a:
      case 0x5b:
      case 0x7b:
        count++;
    }
  }
  return count;
}

/** Where the string that begins here has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) break;
    if (code === 0x5c) at++;
  }
  return at;
}

/** CEL would not take a mapping with a field called `constructor` for a mapping: such a one becomes a Map. */
function withMaps(root: unknown): unknown {
  const top = [root];
  const open: (unknown[] | Record<string, unknown> | Map<string, unknown>)[] = [top];
  for (let holder = open.pop(); holder; holder = open.pop()) {
    const entries = holder instanceof Map ? [...holder] : Object.entries(holder);
    for (const [key, value] of entries) {
      if (typeof value !== 'object' || value === null) continue;
      const child = Object.hasOwn(value, 'constructor') ? new Map(Object.entries(value)) : value;
      open.push(child as typeof holder);
      if (child === value) continue;
      if (holder instanceof Map) holder.set(key, child);
      else Object.defineProperty(holder, key, { value: child });
    }
  }
  return top[0];
}
