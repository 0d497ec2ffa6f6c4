import { describe, expect, test } from 'vitest';
import type { Look, Seen } from '../../src/cli/look.ts';
import { lookRecord } from '../../src/cli/look-record.ts';
import type { Page } from '../../src/cli/picture/page.ts';
import { picture } from '../../src/cli/picture/picture.ts';
import { rulesOf } from '../../src/cli/picture/rules.ts';
import { prospect } from '../../src/cli/picture/verdict.ts';
import { newTally, watchLine, watchSummary } from '../../src/cli/picture/watch-line.ts';
import { waterfall } from '../../src/cli/picture/waterfall.ts';
import { displayWidth } from '../../src/cli/width.ts';
import { type Attempt, type Outcome, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import { aTarget } from '../support/targets.ts';

const page = (columns: number): Page => ({ paint: (_format, text) => text, columns });

function anAttempt(outcome: Outcome, latencyMs = 20, at = Date.UTC(2026, 0, 1)): Attempt {
  return { outcome, number: 1, at, startedAt: 0, latencyMs, phases: {} };
}

function aLook(look: Partial<Look> & { readonly attempt: Attempt }): Look {
  return {
    target: aTarget({ name: 'orders', probe: { kind: 'http', settings: {} } }),
    written: {},
    phases: [],
    seen: [],
    ...look,
  };
}

const text = (look: Look, columns: number): string[] => picture(look, page(columns)).split('\n');

const at = (atMs: number, entry: Seen['entry']): Seen => ({ atMs, entry });

describe('the picture', () => {
  const full = aLook({
    written: { url: 'https://10.0.0.5:8443/healthz', expect: { status: [200, '203-204'], body: 'ready' } },
    attempt: anAttempt(fail('mismatch', 'the body does not match /ready/', { status: 200 }), 20),
    phases: [
      { atMs: 0, phase: 'connect' },
      { atMs: 5, phase: 'tls' },
      { atMs: 15, phase: 'wait' },
      { atMs: 19.9, phase: 'receive' },
    ],
    seen: [
      at(5, { kind: 'note', text: 'connected to 10.0.0.5:8443' }),
      at(14.9, {
        kind: 'certificates',
        chain: [
          { subject: 'orders', issuer: 'Acme', names: 'DNS:orders', daysLeft: 1 },
          { subject: 'Acme', issuer: 'Acme', names: '', daysLeft: -3 },
        ],
      }),
      at(15, { kind: 'sent', what: 'request head', text: 'GET /healthz HTTP/1.1\r\nhost: orders\r\n\r\n' }),
      at(19.9, { kind: 'received', what: 'response head', text: 'HTTP/1.1 200 OK\r\n' }),
      at(19.9, { kind: 'received', what: 'body', text: 'sick' }),
      at(20, { kind: 'rule', rule: 'expect.status', passed: true, value: '200' }),
      at(20, { kind: 'rule', rule: 'expect.body', passed: false, value: '"sick"' }),
      at(20, { kind: 'rule', rule: 'warn.latency', passed: false, value: '20ms', warns: true }),
    ],
  });

  test('has everything in its place', () =>
    expect(text(full, 80)).toEqual([
      'orders  http  https://10.0.0.5:8443/healthz',
      '',
      'phases',
      '  connect    5.0ms  ██████████████▌',
      '  tls       10.0ms                ▐████████████████████████████▌',
      '  wait       4.9ms                                             ▐█████████████▌',
      '  receive    0.1ms                                                           ▐',
      '  total     20.0ms  of the 2s that it may take',
      '',
      'exchange',
      '     5.0ms  · connected to 10.0.0.5:8443',
      '    15.0ms  → GET /healthz HTTP/1.1',
      '              host: orders',
      '    19.9ms  ← HTTP/1.1 200 OK',
      '    19.9ms  ← body  sick',
      '',
      'certificates',
      '  orders  1 day left          issued by Acme, for DNS:orders',
      '  Acme    expired 3 days ago  its own issuer',
      '',
      'rules',
      '  ✓ expect.status  200  wanted [200,"203-204"]',
      '  ✗ expect.body    "sick"  wanted ready',
      '  ! warn.latency   20ms',
      '',
      'facts',
      '  status  200',
      '',
      '✗ fail  mismatch: the body does not match /ready/',
      '  explicit: the path works, and the target says no',
      '  suspect: 1 failure of 3 in a row before down; asked again every 1s',
    ]));

  test('a section without lines is left out', () =>
    expect(text(aLook({ attempt: anAttempt(voided('no descriptors left')) }), 80)).toEqual([
      'orders  http  ',
      '',
      'phases',
      '  total     20.0ms  of the 2s that it may take',
      '',
      '? void  no descriptors left',
      '  our own trouble: it says nothing about the target and does not count',
    ]));

  test('what a server sent cannot command the terminal, nor turn the writing around', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007a\u009b31mb\u202ec\u2028d\rE';
    const drawn = picture(
      aLook({
        written: evil,
        attempt: anAttempt(fail('mismatch', evil, { [evil]: evil })),
        seen: [
          at(1, { kind: 'note', text: evil }),
          at(1, { kind: 'received', what: evil, text: `${evil}\n${evil}` }),
          at(1, { kind: 'certificates', chain: [{ subject: evil, issuer: evil, names: evil, daysLeft: 1 }] }),
          at(1, { kind: 'rule', rule: evil, passed: false, value: evil }),
        ],
      }),
      page(80),
    );
    expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(drawn).toContain('abc d E');
  });

  test('no line is wider than the terminal, whatever came', () => {
    const long = `${'保守 '.repeat(80)}${'x'.repeat(300)}`;
    const look = aLook({
      written: long,
      attempt: anAttempt(warn(long, { [long]: long, b: 1 })),
      phases: [{ atMs: 0, phase: 'receive' }],
      seen: [
        at(1, { kind: 'sent', what: 'steps[0]', text: `${long}\n${long}` }),
        at(1, { kind: 'received', what: 'stdout', text: long }),
        at(1, { kind: 'certificates', chain: [{ subject: long, issuer: long, names: long, daysLeft: 400 }] }),
        at(1, { kind: 'rule', rule: long, passed: true, value: long }),
      ],
    });
    for (const columns of [60, 80, 120]) {
      for (const line of text(look, columns)) expect(displayWidth(line), line).toBeLessThanOrEqual(columns);
    }
  });

  test('a long answer is shown in its beginning', () => {
    const said = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n');
    const drawn = text(
      aLook({
        attempt: anAttempt(ok('fine')),
        seen: [at(1, { kind: 'received', what: 'stdout', text: said })],
      }),
      80,
    );
    expect(drawn).toContain('              line 23');
    expect(drawn).toContain('              … 76 more lines');
  });
});

describe('the waterfall', () => {
  const rows = (latencyMs: number, phases: Look['phases']): string[] =>
    waterfall(aLook({ attempt: anAttempt(ok('fine'), latencyMs), phases }), page(30)).slice(0, -1);

  test.each<[string, number, Look['phases'], string[]]>([
    ['one phase', 10, [{ atMs: 0, phase: 'wait' }], ['  wait      10.0ms  ██████████']],
    ['a gap before it', 10, [{ atMs: 5, phase: 'wait' }], ['  wait       5.0ms       █████']],
    [
      'what took no time is drawn, too',
      10,
      [
        { atMs: 0, phase: 'dns' },
        { atMs: 0, phase: 'connect' },
        { atMs: 10, phase: 'wait' },
      ],
      ['  dns        0.0ms  ▌', '  connect   10.0ms  ██████████', '  wait       0.0ms           ▐'],
    ],
    [
      'a phase that comes twice has one row',
      1_000,
      [
        { atMs: 0, phase: 'connect' },
        { atMs: 250, phase: 'wait' },
        { atMs: 500, phase: 'connect' },
        { atMs: 750, phase: 'wait' },
      ],
      ['  connect    500ms  ██▌  ██▌', '  wait       500ms    ▐██  ▐██'],
    ],
    [
      'a phase that begins after the outcome',
      10,
      [{ atMs: 12, phase: 'wait' }],
      ['  wait       0.0ms           ▐'],
    ],
    ['no time at all', 0, [{ atMs: 0, phase: 'wait' }], ['  wait       0.0ms  ▌']],
  ])('%s', (_what, latencyMs, phases, expected) => expect(rows(latencyMs, phases)).toEqual(expected));
});

describe('what the rules would make of it', () => {
  const confirm = { explicit: 0, silent: 6_000, path: 10_000 };

  test.each<[Outcome, Parameters<typeof aTarget>[0], string]>([
    [ok('fine'), {}, 'up at once; from down it takes 2 such answers in a row'],
    [ok('fine'), { rules: { successThreshold: 1 } }, 'up at once; from down it takes one such answer'],
    [warn('full'), {}, 'up, with a complaint; from down it takes 2 such answers in a row'],
    [voided('EMFILE'), {}, 'our own trouble: it says nothing about the target and does not count'],
    [
      fail('refused', 'x'),
      { rules: { confirm } },
      'suspect: 1 failure of 3 in a row before down; asked again every 1s',
    ],
    [fail('refused', 'x'), { rules: { confirm, failureThreshold: 1 } }, 'down at once, by its rules'],
    [
      fail('timeout', 'x'),
      { rules: { confirm, failureThreshold: 1 } },
      'suspect: down once it lasts for 6s at least; asked again every 1s',
    ],
    [
      fail('dns', 'x'),
      { rules: { confirm } },
      'suspect: 1 failure of 3 in a row before down, over 10s at least; asked again every 1s',
    ],
  ])('%j %j', (outcome, target, expected) =>
    expect(prospect(anAttempt(outcome), aTarget(target).rules)).toBe(expected),
  );
});

describe('a watch', () => {
  const good = (latencyMs: number): Attempt => anAttempt(ok('status 200'), latencyMs);

  test('a line has a curve of what came before', () => {
    const attempts = [good(1), good(8), anAttempt(fail('refused', 'ECONNREFUSED'), 2), good(4)];
    expect(watchLine(attempts, page(80)).slice(12)).toBe('  ✓ ok       4.0ms        ▂█×▅  status 200');
    expect(watchLine(attempts.slice(0, 3), page(120)).slice(12)).toBe(
      `  ✗ fail     2.0ms  ${' '.repeat(17)}▂█×  refused: ECONNREFUSED`,
    );
  });

  test('what is not as it was before stands out', () => {
    const marked: Page = { columns: 80, paint: (format, text) => (format === 'bold' ? `<${text}>` : text) };
    expect(watchLine([good(1), good(1)], marked)).not.toContain('<');
    expect(watchLine([good(1), anAttempt(ok('status 204'), 1)], marked)).toContain('<status 204>');
    expect(watchLine([good(1), anAttempt(warn('status 200'), 1)], marked)).toContain('<status 200>');
  });

  test('the end has counts and latencies', () => {
    const tally = newTally();
    for (let ms = 1; ms <= 100; ms++) tally.latencies.push(ms);
    tally.counts.ok = 98;
    tally.counts.fail = 2;
    expect(watchSummary(tally, page(80)).split('\n')).toEqual([
      '100 attempts: 98 ok, 2 fail',
      'latency: least 1.0ms, median 50.0ms, p95 95.0ms, most 100ms',
    ]);
    expect(watchSummary(newTally(), page(80))).toBe('0 attempts');
  });
});

test.each([
  ['output_not', { output_not: 'slot' }, 'not slot'],
  ['expect.body_not', { expect: { body_not: '(?i)error' } }, 'not (?i)error'],
  ['steps[1].expect_not', { steps: [{}, { expect_not: '^-ERR' }] }, 'not ^-ERR'],
  ['expect.headers_not.via', { expect: { headers_not: { via: 'squid' } } }, 'not squid'],
  ['expect.headers.x_not', { expect: { headers: { x_not: 'a' } } }, 'a'],
  ['output', { output: 'slot' }, 'slot'],
  ['output_not', {}, undefined],
])('a rule says whether it wants something or wants it not: %s', (rule, written, wanted) => {
  const seen = [at(1, { kind: 'rule', rule, passed: true, value: 'v' })];
  expect(rulesOf({ seen, written })).toMatchObject([{ wanted }]);
});

test('the JSON has the same, with keys that stay', () => {
  const record = lookRecord(
    aLook({
      written: 'http://h/',
      attempt: { ...anAttempt(fail('status', 'status 503', { status: 503 })), phases: { wait: 20 } },
      phases: [{ atMs: 0, phase: 'wait' }],
      seen: [
        at(1, { kind: 'note', text: 'a' }),
        at(2, { kind: 'sent', what: 'request head', text: 'b' }),
        at(3, { kind: 'certificates', chain: [{ subject: 's', issuer: 'i', names: 'n', daysLeft: 3 }] }),
        at(4, { kind: 'rule', rule: 'expect.status', passed: false, value: '503' }),
      ],
    }),
  );
  expect(record).toEqual({
    target: 'orders',
    probe: 'http',
    status: 'fail',
    reason: 'status',
    class: 'explicit',
    message: 'status 503',
    latency_ms: 20,
    phases: { wait: 20 },
    facts: { status: 503 },
    where: 'http://h/',
    at: '2026-01-01T00:00:00.000Z',
    timeout_ms: 2_000,
    timeline: [{ phase: 'wait', from_ms: 0, to_ms: 20 }],
    exchange: [
      { at_ms: 1, kind: 'note', what: null, text: 'a' },
      { at_ms: 2, kind: 'sent', what: 'request head', text: 'b' },
    ],
    certificates: [{ subject: 's', issuer: 'i', names: 'n', days_left: 3 }],
    rules: [{ rule: 'expect.status', passed: false, warns: false, value: '503', wanted: null }],
  });
});
