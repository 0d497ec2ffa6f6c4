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
  let json: { readonly value: unknown } | undefined;
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
      json ??= { value: parseJson(bodyOf(answer)) };
      return json.value;
    },
  };
}

function bodyOf(answer: Answer): string {
  if (answer.largerThan !== undefined) throw new Error(`the body is larger than ${answer.largerThan}`);
  return answer.text();
}

function parseJson(text: string): unknown {
  try {
    // A mapping with a field of this name would not be taken for a mapping.
    return JSON.parse(text.replace(/^\ufeff/, ''), text.includes('"constructor"') ? asMap : undefined);
  } catch {
    throw new Error(
      text === '' ? 'the body is empty, and not JSON' : `the body is not JSON: ${printable(text)}`,
    );
  }
}

function asMap(_key: string, value: unknown): unknown {
  return typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, 'constructor') &&
    !Array.isArray(value)
    ? new Map(Object.entries(value))
    : value;
}
