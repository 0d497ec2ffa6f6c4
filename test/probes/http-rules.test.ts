import { describe, expect, test } from 'vitest';
import { http } from '../../probes/http/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { answering, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const JSON_BODY = JSON.stringify({
  db: { lag_ms: 712, state: 'green' },
  load: 0.97,
  nodes: [{ id: 'a', ok: true }],
  'odd key': 1,
  constructor: 'x',
  none: null,
});

function response(body: string, head = '', status = 200): string {
  return `HTTP/1.1 ${status} X\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function judged(
  settings: object,
  answer = response(JSON_BODY, 'X-Role: a\r\nX-Role: b\r\n'),
): Promise<string> {
  const port = await answering(answer);
  const attempt = await attemptOnce(http, { url: `http://127.0.0.1:${port}/`, ...settings });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

function refusal(settings: object): string | undefined {
  const issue = http.settings.safeParse({ url: 'http://h/', ...settings }).error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message.split('\n', 1)[0]}`;
}

const missed = (what: string): string => `fail mismatch explicit: ${what}`;

describe('expect.cel', () => {
  test.each([
    ['json.db.lag_ms < 1000 && status == 200', 'ok: status 200'],
    ['json.db.lag_ms < 500', missed('expect.cel: it is false: json.db.lag_ms is 712')],
    ['json.nodes.all(n, n.ok)', 'ok: status 200'],
    ['json.constructor == "x"', 'ok: status 200'],
    ['headers["x-role"] == "a, b"', 'ok: status 200'],
    ['headers.exists(name, name == "x-role")', 'ok: status 200'],
    ['body.contains("green") && latency_ms < 60000', 'ok: status 200'],
    ['json.db.lag < 500', missed('expect.cel: there is no "lag"')],
    ['json.load', missed('expect.cel: a condition is true or false, and this is 0.97')],
  ])('%s -> %s', async (cel, expected) => expect(await judged({ expect: { cel } })).toBe(expected));

  test('fields called constructor or __proto__ are fields, wherever they stand', async () => {
    const text = String.raw`{"constructor":{"a":[{"constructor":1,"n":2}]},"\u0063onstructor":{"a":[{"constructor":1,"n":2}]},"__proto__":{"x":1}}`;
    for (const cel of [
      'json.constructor.a[0].constructor == 1 && json.constructor.a[0].n == 2',
      'json.constructor.a.all(one, has(one.constructor))',
      'json["__proto__"].x == 1',
      'size(json) == 2',
    ])
      expect(await judged({ expect: { cel } }, response(text))).toBe('ok: status 200');
  });

  test('a body of too many values is not read as JSON; commas in texts are no values', async () => {
    const miss = missed('expect.json $.a: the body has too many values to be read as JSON');
    const rule = { expect: { json: { '$.a': 1 } } };
    const list = (length: number): string => `{"a":1,"b":[${'0,'.repeat(length)}0]}`;
    expect(await judged(rule, response(list(60_000)))).toBe(miss);
    expect(await judged(rule, response(list(40_000)))).toBe('ok: status 200');
    expect(await judged(rule, response(`{"a":1,"b":"${String.raw`,:\"[{`.repeat(60_000)}"}`))).toBe(
      'ok: status 200',
    );
    expect(await judged(rule, response('{"constructor":'.repeat(30_000)))).toBe(miss);
  });

  test.each([
    ['<html>', 'expect.cel: the body is not JSON: "<html>"'],
    ['', 'expect.cel: the body is empty, and not JSON'],
    ['\ufeff{"a":1}', undefined],
    ['['.repeat(50_000), `expect.cel: the body is not JSON: "${'['.repeat(80)}…"`],
  ])('over the body %j', async (body, miss) => {
    const said = await judged({ expect: { cel: 'json.a == 1' } }, response(body));
    expect(said).toBe(miss === undefined ? 'ok: status 200' : missed(miss));
  });

  test('the body is not read as JSON where nothing asks for it', async () => {
    expect(await judged({ expect: { cel: 'status == 200 || json.a == 1' } }, response('x'))).toBe(
      'ok: status 200',
    );
  });

  test('a body that is too large for a condition over it', async () => {
    const limit = { max_body: '10B' };
    expect(await judged({ ...limit, expect: { cel: 'json.a == 1' } })).toBe(
      'fail too_large explicit: the body is larger than 10B',
    );
    expect(await judged({ ...limit, expect: { cel: 'status == 200' } })).toBe('ok: status 200');
  });

  test('what is wrong is refused at load', () => {
    expect(refusal({ expect: { cel: 'jsn.a == 1' } })).toBe(
      'expect.cel: unknown name "jsn"; did you mean "json"?',
    );
    for (const where of ['expect', 'warn']) {
      const settings = { [where]: { cel: 'tls_days_left > 14' } };
      expect(refusal(settings)).toBe(`${where}.cel: over http there is no certificate, and no tls_days_left`);
      expect(refusal({ ...settings, url: 'https://h/' })).toBe(undefined);
      expect(refusal({ ...settings, redirects: 1 })).toBe(undefined);
    }
    expect(refusal({ warn: { cel: 'status + 1' } })).toBe(
      'warn.cel: a condition is true or false, and this is int',
    );
    expect(refusal({ facts: { a: '[1]' } })).toBe(
      'facts.a: a fact is a number, a text or true or false, and this is list<int>',
    );
    expect(refusal({ facts: { status: 'status' } })).toBe(
      'facts.status: the probe has a fact "status" of its own',
    );
    expect(refusal({ facts: { 'a-b': 'status' } })).toBe(
      'facts.a-b: "a-b" is not a name for a fact (letters, digits and _)',
    );
  });
});

describe('expect.json', () => {
  test.each([
    [{ '$.db.lag_ms': '< 1000' }, 'ok: status 200'],
    [{ '$.db.lag_ms': 712, '$.db.state': 'green' }, 'ok: status 200'],
    [{ 'db.state': '== green' }, 'ok: status 200'],
    [{ '$.db.state': '!= "red"' }, 'ok: status 200'],
    [{ '$.nodes[0].ok': true, '$.none': null }, 'ok: status 200'],
    [{ '$["odd key"]': '>= 1', "$['db'].lag_ms": '> 1.5' }, 'ok: status 200'],
    [{ '$.db.lag_ms': '< 500' }, missed('expect.json $.db.lag_ms: it is false: json.db.lag_ms is 712')],
    [{ '$.db.state': 'yellow' }, missed('expect.json $.db.state: it is false: json.db.state is "green"')],
    [{ '$.nope': 1 }, missed('expect.json $.nope: there is no "nope"')],
  ])('%j -> %s', async (json, expected) => expect(await judged({ expect: { json } })).toBe(expected));

  test.each([
    [{ '$.a b[': 1 }, 'expect.json.$.a b[: "$.a b[" is not a path such as $.db.lag_ms or $.nodes[0].state'],
    [{ '$..a': 1 }, 'expect.json.$..a: "$..a" is not a path such as $.db.lag_ms or $.nodes[0].state'],
    [{ '$.a': '<' }, 'expect.json.$.a: "<" lacks what to compare with'],
  ])('%j is refused at load', (json, message) => expect(refusal({ expect: { json } })).toBe(message));
});

describe('warn', () => {
  test.each([
    [{ cel: 'json.load < 0.9' }, 'warn: warn.cel: it is false: json.load is 0.97'],
    [{ cel: 'json.load < 0.99' }, 'ok: status 200'],
    [{ status: 204 }, 'warn: status 200'],
    [{ body: 'red' }, 'warn: the body does not match /red/'],
    [{ headers_not: { 'x-role': 'b' } }, 'warn: the header x-role matches /b/'],
    [{ json: { '$.db.lag_ms': '< 5' } }, 'warn: warn.json $.db.lag_ms: it is false: json.db.lag_ms is 712'],
    [{ latency: '20s' }, 'ok: status 200'],
    [{ latency: '< 20s' }, 'ok: status 200'],
  ])('%j -> %s', async (warn, expected) => expect(await judged({ warn })).toBe(expected));

  test('what misses expect fails, whatever warn says', async () => {
    expect(await judged({ expect: { body: 'red' }, warn: { status: 204 } })).toBe(
      missed('the body does not match /red/'),
    );
  });

  test('a body that is too large for it is a warn', async () => {
    expect(await judged({ max_body: '10B', warn: { body: 'x' } })).toBe('warn: the body is larger than 10B');
  });

  test('latency, of warn and of expect', async () => {
    const port = await tcpServer((socket) => {
      socket.once('data', () => void setTimeout(() => socket.end(response('late')), 30));
    });
    const said = async (rules: object): Promise<string> => {
      const attempt = await attemptOnce(http, { url: `http://127.0.0.1:${port}/`, ...rules });
      return `${verdict(attempt)}: ${attempt.outcome.message.replace(/\d+ms is/, 'N is')}`;
    };
    const late = { latency: '5ms' };
    expect(await said({ warn: late })).toBe('warn: the latency of N is above 5ms');
    expect(await said({ expect: late })).toBe(missed('the latency of N is above 5ms'));
  });
});

describe('facts', () => {
  async function factsOf(settings: object, answer = response(JSON_BODY)): Promise<unknown> {
    const port = await answering(answer);
    const { outcome } = await attemptOnce(http, { url: `http://127.0.0.1:${port}/`, ...settings });
    return outcome.facts;
  }

  test('are read into the outcome; what cannot be read is left out', async () => {
    const facts = { load: 'json.load', nodes: 'size(json.nodes)', ok: 'json.nodes[0].ok', gone: 'json.gone' };
    expect(await factsOf({ facts })).toEqual({ status: 200, load: 0.97, nodes: 1, ok: true });
    expect(await factsOf({ facts }, response('no JSON'))).toEqual({ status: 200 });
  });

  test('are read from a failure, too, and are short', async () => {
    const answer = response(JSON.stringify({ why: 'x'.repeat(1_000) }), '', 503);
    expect(await factsOf({ facts: { why: 'json.why' } }, answer)).toEqual({
      status: 503,
      why: 'x'.repeat(256),
    });
  });
});

describe('a trace', () => {
  async function traced(settings: object, answer?: string): Promise<TraceEntry[]> {
    const entries: TraceEntry[] = [];
    const port = await answering(answer ?? response(JSON_BODY, 'Set-Cookie: a=secret\r\n'));
    const url = `http://127.0.0.1:${port}/`;
    await attemptOnce(http, { url, ...settings }, { onTrace: (entry) => entries.push(entry) });
    return entries;
  }

  test('has the heads without their credentials', async () => {
    const entries = await traced({ auth: { bearer: 'secret' }, headers: { cookie: 'b=secret', 'x-a': '1' } });
    const texts = entries.flatMap((entry) => ('text' in entry ? [entry.text] : []));
    expect(JSON.stringify(entries)).not.toContain('secret');
    expect(texts[1]).toMatch(
      /^GET \/ HTTP\/1\.1\nhost: 127.*\nauthorization: \*\*\*\ncookie: \*\*\*\nx-a: 1\n/s,
    );
    expect(texts[2]).toMatch(/^HTTP\/1\.1 200 X\nset-cookie: \*\*\*\ncontent-length: \d+$/);
  });

  test('has every rule with its value, also behind a miss', async () => {
    const entries = await traced({
      expect: { status: 204, body: 'green', json: { '$.load': '< 0.5' }, cel: 'json.db.lag_ms > 5' },
      warn: { headers: { 'x-none': '.' }, latency: '20s' },
      facts: { a: 'json.a' },
    });
    const rules = entries.flatMap((entry) =>
      entry.kind === 'rule' ? [[entry.rule, entry.passed, entry.value, entry.warns ?? false]] : [],
    );
    expect(rules).toEqual([
      ['expect.status', false, '200', false],
      ['expect.body', true, expect.stringContaining(`${JSON_BODY.length}B "{`), false],
      ['expect.json $.load', false, 'json.load is 0.97', false],
      ['expect.cel', true, 'json.db.lag_ms is 712', false],
      ['warn.headers.x-none', false, 'missing', true],
      ['warn.latency', true, expect.stringMatching(/^\d+ms$/), true],
    ]);
    expect(entries).toContainEqual({ kind: 'note', text: 'no fact a: there is no "a"' });
  });
});
