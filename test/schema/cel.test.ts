import { describe, expect, test } from 'vitest';
import { type Values, cel } from '../../src/schema/cel.ts';
import { HOSTILE_PATTERN, hostileText } from '../support/hostile-pattern.ts';

const VARIABLES = {
  status: 'int',
  headers: 'map<string, string>',
  body: 'string',
  json: 'dyn',
  latency_ms: 'double',
  tls_days_left: 'int',
} as const;

const VALUES: Values = {
  status: 200n,
  headers: { etag: 'x', 'content-type': 'a/b' },
  body: 'hello 12',
  json: { db: { lag_ms: 12 }, n: 1, load: 0.5, s: 'gr\u00fcn', list: [1, 2.5, 'a', { x: 1 }], none: null },
  latency_ms: 12.25,
};

function condition(source: string, values: Values = VALUES): unknown {
  return cel(VARIABLES, 'bool').parse(source).evaluate(values);
}

function refusal(source: string, result: 'bool' | 'fact' = 'bool'): string | undefined {
  return cel(VARIABLES, result as 'bool').safeParse(source).error?.issues[0]?.message;
}

describe('a condition', () => {
  test.each([
    ['status == 200 && json.db.lag_ms < 500', true],
    ['latency_ms < 800', true],
    ['latency_ms >= 12.25', true],
    ['json.n == 1 && json.n == 1.0', true],
    ['json.n + 1 == 2', true],
    ['json.n + 1 > json.load * 2 - 1', true],
    ['json.list.size() / json.n == 4', true],
    ['json.load / 2 < 1', true],
    ['json.n in [1, 2]', true],
    ['json.s == "gr\u00fcn"', true],
    ['json.none == null && json.n != null', true],
    ['has(json.db) && !has(json.nope)', true],
    ['json.list[3].x == 1', true],
    ["'a' in json.list && 1 in json.list", true],
    ['"n" in json', true],
    ['headers["content-type"].startsWith("a/")', true],
    ['headers.etag == "y"', false],
    ['body.matches("[0-9]+$")', true],
    ['json.s.matches("(?i)GR\u00dcN")', true],
    ['json.list.exists(x, x == "a")', true],
    ['json.list.filter(x, x == 1).size() == 1', true],
    ['json.list.map(x, x)[0] == 1', true],
    ['json.db.all(key, json.db[key] > 5)', true],
    ['cel.bind(x, json.n, x == 1)', true],
    ['json.nope == 1 || status == 200', true],
  ])('%s: %s', (source, value) => expect(condition(source)).toEqual({ value }));

  test.each([
    ['json.a.b < 5', 'there is no "a"'],
    ['json.db.lag < 5', 'there is no "lag"'],
    ['headers["x-none"] == ""', 'there is no "x-none"'],
    ['tls_days_left > 14', 'there is no tls_days_left here'],
    ['json.n', 'a condition is true or false, and this is 1'],
    ['json.s < 5', 'these types do not go together: string < int'],
    ['1 / 0 == 1', 'division by zero'],
    ['json.list[9] == 1', 'no such key: index out of bounds, index 9 >= size 4'],
  ])('%s cannot be told: %s', (source, problem) => expect(condition(source)).toEqual({ problem }));

  test('shows what it was held against', () => {
    const shown = (source: string): string => cel(VARIABLES, 'bool').parse(source).explain(VALUES);
    expect(shown('json.db.lag_ms < 5 && status == 200')).toBe('json.db.lag_ms is 12, status is 200');
    expect(shown('headers["etag"] == json.s || size(json.list) > 4')).toBe(
      'headers["etag"] is "x", json.s is "gr\u00fcn", json.list is a list of 4',
    );
    expect(shown('json.nope < 1')).toBe('');
    expect(shown('json.list.exists(json, json == 1)')).toBe('');
  });

  test('asks for no value that it does not use', () => {
    const values = {
      status: 200n,
      get json() {
        throw new Error('asked');
      },
    };
    expect(condition('status == 200', values)).toEqual({ value: true });
    expect(cel(VARIABLES, 'bool').parse('json.x == 1').uses('json')).toBe(true);
    expect(cel(VARIABLES, 'bool').parse('json.x == 1').uses('body')).toBe(false);
  });
});

describe('a fact', () => {
  const fact = (source: string): unknown => cel(VARIABLES, 'fact').parse(source).evaluate(VALUES);

  test.each([
    ['status', 200],
    ['json.load', 0.5],
    ['json.s', 'gr\u00fcn'],
    ['json.n == 1', true],
    ['size(json.list)', 4],
  ])('%s is %j', (source, value) => expect(fact(source)).toEqual({ value }));

  test.each([
    ['json.list', 'a list of 4'],
    ['json.db', 'a mapping'],
    ['json.none', 'null'],
    ['1.0 / 0.0', 'Infinity'],
  ])('%s is none', (source, what) =>
    expect(fact(source)).toEqual({
      problem: `a fact is a number, a text or true or false, and this is ${what}`,
    }),
  );
});

describe('what is refused at load', () => {
  test.each([
    ['jsn.x == 1', 'unknown name "jsn"; did you mean "json"?\n    jsn.x == 1\n    ^'],
    [
      'status == 200 &&\n  wild > 1',
      'unknown name "wild"; there are status, headers, body, json, latency_ms, tls_days_left\n      wild > 1\n      ^',
    ],
    ['status == "200"', 'these types do not go together: int == string\n    status == "200"\n    ^'],
    ['true && body.foo()', 'there is no function string.foo()\n    true && body.foo()\n            ^'],
    ['json.n ==', 'unexpected token: EOF\n    json.n ==\n             ^'],
    ['status + 1', 'a condition is true or false, and this is int\n    status + 1\n    ^'],
    [
      'body.matches("(")',
      'the pattern does not compile: error parsing regexp: missing closing ): `(`\n    body.matches("(")\n                 ^',
    ],
    [
      'body.matches(json.s)',
      'the pattern of matches has to be written out\n    body.matches(json.s)\n                 ^',
    ],
  ])('%j', (source, message) => expect(refusal(source)).toBe(message));

  test('a fact that is a list', () =>
    expect(refusal('json.list.map(x, x)', 'fact')).toMatch(
      /^a fact is a number, a text or true or false, and this is list\n/,
    ));

  test('an expression without an end', () => {
    expect(refusal(`${'('.repeat(200)}true${')'.repeat(200)}`)).toMatch(/^exceeded maxDepth/);
    expect(refusal(Array(2_000).fill('true').join(' && '))).toMatch(/^exceeded maxAstNodes/);
  });
});

describe('a hostile answer', () => {
  const n = 200_000;
  const hostile: Values = {
    body: 'a'.repeat(2 ** 20),
    json: {
      l: Array.from({ length: n }, (_, i) => i),
      small: Array.from({ length: 900 }, (_, i) => i),
      same: Array.from({ length: 300 }, () => Array.from({ length: 600 }, () => 7)),
      map: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, i])),
      texts: Array.from({ length: 900 }, () => 'a'.repeat(1_000)),
      needle: `${'a'.repeat(5_000)}b${'a'.repeat(5_000)}`,
      digits: '1'.repeat(5_000),
      deep: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown,
    },
  };

  test.each([
    'json.l.all(a, json.l.all(b, a >= 0))',
    'json.l.exists(a, json.l.exists(b, json.l.exists(c, c < 0)))',
    'json.l.all(a, json.l.exists(b, b < 0) || true)',
    'json.l.map(a, json.l.map(b, 1)).size() > 0',
    'json.l.exists_one(a, json.l.exists_one(b, b < 0))',
    'json.l.exists(a, a in json.l)',
    'json.same.exists(a, json.same.exists(b, a != b))',
    'json.map.exists(a, json.map.exists(b, a == b + "x"))',
    'json.small.all(a, body.split("").size() > 1)',
    'json.small.all(a, size(body) > 0)',
    'json.small.all(a, body.matches("(?i)b") || true)',
    'json.texts.all(a, json.texts.all(b, a.contains(b)))',
    'body.contains(json.needle)',
    'body.lastIndexOf(json.needle) > 0',
  ])('ends within its budget: %s', (source) =>
    expect(condition(source, hostile)).toEqual({ problem: 'it would take too long over this answer' }),
  );

  test.each([
    ['duration(json.digits) > duration("1s")', 'this is not a duration'],
    ['json.deep != [json.deep]', 'this answer is nested too deeply'],
  ])('%s: %s', (source, problem) => expect(condition(source, hostile)).toEqual({ problem }));

  test.each([
    'json.small.all(a, json.small[a] == a)',
    'body.matches("(?i)b") || true',
    'json.map.size() > 1',
  ])('what is honest has its time: %s', (source) =>
    expect(condition(source, hostile)).toEqual({ value: true }),
  );

  test('a pattern costs what its size and the text make of it', () => {
    const body = hostileText(2 ** 16);
    const held = (source: string): unknown => condition(`body.matches(${JSON.stringify(source)})`, { body });
    expect(held(HOSTILE_PATTERN)).toEqual({ problem: 'it would take too long over this answer' });
    expect(held('"status":"(ok|green)"')).toEqual({ value: false });
    expect(held('(?i)AB+A')).toEqual({ value: true });
    expect(condition(`body.matches("${HOSTILE_PATTERN}")`, { body: `${'a'.repeat(41)}!` })).toEqual({
      value: true,
    });
  });

  test('the budget is fresh each time', () => {
    const expression = cel(VARIABLES, 'bool').parse('json.l.all(a, a >= 0)');
    expect(expression.evaluate(hostile)).toHaveProperty('problem');
    expect(expression.evaluate({ json: { l: [1] } })).toEqual({ value: true });
  });

  test('its shapes leave nothing behind', () => {
    const expression = cel(VARIABLES, 'bool').parse('json + [] == [] || true');
    // Twelve levels that differ at the bottom, and fifty above them that are new with each.
    const shape = (bits: number): unknown => {
      let value: unknown = 1;
      for (let level = 0; level < 12; level++) value = (bits >> level) % 2 === 0 ? [value] : { a: value };
      for (let level = 0; level < 50; level++) value = [value];
      return value;
    };
    const before = process.memoryUsage().heapUsed;
    for (let bits = 0; bits < 2_048; bits++) expression.evaluate({ json: shape(bits) });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
  });
});
