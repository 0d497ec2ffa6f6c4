import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { probes } from '../../probes/index.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import type { ConfigError } from '../../src/config/problem.ts';
import { hooks } from '../../src/hooks/index.ts';
import { steps } from '../../src/steps/index.ts';

/** What goes wrong is in test/config/invalid. */
function yaml(text: string): Config {
  const file = join(mkdtempSync(join(tmpdir(), 'vitald-contract-')), 'targets.yaml');
  writeFileSync(file, text);
  return loadConfig([file], { probes, hooks, steps, env: {} });
}

const CONTRACT = 'detect_within: 12s, max_false_down: 1/30d';
const PROMISE = { detectWithinMs: 12_000, maxFalseDown: 1 / (30 * 86_400_000) };
const DERIVED = { intervalMs: 2_000, confirm: { explicit: 2_000, silent: 6_000, path: 10_000 } };

test('one that cannot be kept by what is assumed is warned of, with its place', () => {
  const { warnings } = yaml(
    'targets:\n  - { name: a, tcp: "h:1", detect_within: 7s, max_false_down: 1/3650d }\n  - { name: b, tcp: "h:1", detect_within: 1m, max_false_down: 1/30d }',
  );
  expect(warnings.map(({ place }) => place.line)).toEqual([2]);
  expect(warnings[0]!.message).toContain('1/3650d within 7s cannot be kept');
});

test('what a target says over a contract in defaults is blamed where it stands', () => {
  const load = (): unknown =>
    yaml(`defaults: { ${CONTRACT} }\ntargets:\n  - name: a\n    tcp: "h:1"\n    interval: 30s`);
  expect(load).toThrow(/:5:15: 12s cannot be kept: an interval of 30s/);
});

describe('what stands beside a contract', () => {
  test.each([
    ['nothing', `targets: [{ name: a, tcp: "h:1", ${CONTRACT} }]`, {}, DERIVED],
    ['nothing, in defaults', `defaults: { ${CONTRACT} }\ntargets: [{ name: a, tcp: "h:1" }]`, {}, DERIVED],
    [
      'half of it in defaults',
      'defaults: { max_false_down: 1/30d }\ntargets: [{ name: a, tcp: "h:1", detect_within: 12s }]',
      {},
      DERIVED,
    ],
    [
      'an interval in the same place stands',
      `targets: [{ name: a, tcp: "h:1", ${CONTRACT}, interval: 3s }]`,
      { intervalMs: 3_000 },
      { intervalMs: 3_000, confirm: { ...DERIVED.confirm, path: 9_000 } },
    ],
    [
      'an interval in the target, over a contract in defaults, stands',
      `defaults: { ${CONTRACT} }\ntargets: [{ name: a, tcp: "h:1", interval: 3s }]`,
      { intervalMs: 3_000 },
      { intervalMs: 3_000 },
    ],
    [
      'an interval in defaults gives way to the contract of a target',
      `defaults: { interval: 1m }\ntargets: [{ name: a, tcp: "h:1", ${CONTRACT} }]`,
      {},
      DERIVED,
    ],
    [
      "the file's windows give way to the contract of a target",
      `confirm: 1m\ntargets: [{ name: a, tcp: "h:1", ${CONTRACT} }]`,
      {},
      DERIVED,
    ],
    [
      "the file's windows stand beside a contract in defaults",
      `confirm: { path: 8s }\ndefaults: { ${CONTRACT} }\ntargets: [{ name: a, tcp: "h:1" }]`,
      { confirm: { path: 8_000 } },
      { confirm: { ...DERIVED.confirm, path: 8_000 } },
    ],
    [
      'windows in the same place stand, class by class',
      `targets: [{ name: a, tcp: "h:1", ${CONTRACT}, confirm: { explicit: 5s } }]`,
      { confirm: { explicit: 5_000 } },
      { ...DERIVED, confirm: { ...DERIVED.confirm, explicit: 5_000 } },
    ],
    [
      'a timeout bounds the interval from below',
      `targets: [{ name: a, tcp: "h:1", ${CONTRACT}, timeout: 2500ms }]`,
      {},
      { intervalMs: 2_500, timeoutMs: 2_500 },
    ],
  ])('%s', (_what, text, written, rules) => {
    const [target] = yaml(text).targets;
    expect(target!.contract).toEqual({ ...PROMISE, written: { confirm: {}, ...written } });
    expect(target!.rules).toMatchObject(rules);
  });
});

test('without one there is none', () => {
  expect(yaml('targets: [{ name: a, tcp: "h:1" }]').targets[0]).not.toHaveProperty('contract');
});

test('another promise is another target', () => {
  const of = (rate: string) =>
    yaml(`defaults: { detect_within: 1m, max_false_down: ${rate} }\ntargets: [{ name: a, tcp: "h:1" }]`);
  const [one, other] = ['1/30d', '1/31d'].map((rate) => of(rate).targets[0]!.fingerprint);
  expect(one).not.toBe(other);
});

test('the resolved configuration has the promise, and not what was derived from it', () => {
  const { merged, targets } = yaml(`
defaults: { ${CONTRACT}, interval: 4s, timeout: 1s }
targets:
  - { name: a, tcp: "h:1" }
  - { name: b, tcp: "h:1", ${CONTRACT}, confirm: { explicit: 3s } }
`);
  const [a, b] = merged['targets'] as Record<string, unknown>[];
  expect(a).toMatchObject({ detect_within: '12s', max_false_down: '1/30d', interval: '4s' });
  expect(a).not.toHaveProperty('confirm');
  expect(b).not.toHaveProperty('interval');
  expect(b).toMatchObject({ confirm: { explicit: '3s' } });
  const again = yaml(stringify({ targets: merged['targets'] })).targets;
  expect(again.map(({ rules, contract }) => ({ rules, contract }))).toEqual(
    targets.map(({ rules, contract }) => ({ rules, contract })),
  );
});

test('a contract in defaults that cannot be kept is told once, where it stands', () => {
  const text =
    'defaults: { detect_within: 3s, max_false_down: 1/30d }\ntargets: [{ name: a, tcp: "h:1" }, { name: b, tcp: "h:1" }]';
  try {
    yaml(text);
    expect.unreachable();
  } catch (error) {
    expect((error as ConfigError).problems.map(({ place }) => [place.line, place.column])).toEqual([[1, 28]]);
  }
});
