import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probes } from '../../probes/index.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { BRAKES } from '../../src/core/brakes.ts';
import { POLICY } from '../../src/core/policy.ts';
import { hooks } from '../../src/hooks/index.ts';
import { steps } from '../../src/steps/index.ts';

function load(text: string): Config {
  const file = join(mkdtempSync(join(tmpdir(), 'vitald-config-')), 'targets.yaml');
  writeFileSync(file, text);
  return loadConfig([file], { probes, hooks, steps, env: {} });
}

const TARGET = 'targets: [{ name: a, tcp: "h:1", recover: [mend] }]';

function ladder(mend: string): unknown {
  return load(`hooks: { mend: ${mend} }\n${TARGET}`).recovery.ladders.get('mend');
}

describe('a ladder', () => {
  it('has a step for each member, in order, with its defaults', () => {
    expect(
      ladder(`[
        { exec: [reload, "{target}"] },
        { shell: restart, attempts: 2, timeout: 90s, settle: 20s, on: silent, cancel_on_up: true },
        { webhook: "https://pager.example.com/y", on: [explicit, silent, path] }
      ]`),
    ).toMatchObject([
      {
        name: 'mend/1',
        kind: 'exec',
        attempts: 1,
        timeoutMs: 60_000,
        settleMs: 10_000,
        on: ['explicit', 'silent'],
        cancelOnUp: false,
        asks: false,
      },
      {
        name: 'mend/2',
        kind: 'shell',
        attempts: 2,
        timeoutMs: 90_000,
        settleMs: 20_000,
        on: ['silent'],
        cancelOnUp: true,
      },
      { name: 'mend/3', kind: 'webhook', asks: true, on: ['explicit', 'silent', 'path'] },
    ]);
  });

  it('of one step is called as the hook is, whichever way it is written', () => {
    for (const written of ['[{ exec: [restart] }]', '{ exec: [restart] }']) {
      expect(ladder(written)).toMatchObject([
        { name: 'mend', kind: 'exec', settings: { argv: ['restart'] } },
      ]);
    }
    expect(ladder('{ exec: { command: [restart], nice: 5 } }')).toMatchObject([{ settings: { nice: 5 } }]);
    expect(ladder('[{ publish: withdraw, attempts: 1 }]')).toMatchObject([
      { kind: 'publish', settings: 'withdraw', withdraws: true },
    ]);
    expect(ladder('{ systemd: { unit: orders } }')).toMatchObject([
      { kind: 'systemd', settings: { unit: 'orders', action: 'restart' } },
    ]);
  });

  it('may be a hook that somebody is told by, too', () => {
    const { hooks, recovery } = load(
      'hooks: { h: { webhook: "http://h/" } }\ntargets: [{ name: a, tcp: "h:1", recover: h, notify: h }]',
    );
    expect(hooks.get('h')).toMatchObject({ kind: 'webhook', retries: null });
    expect(recovery.ladders.get('h')).toMatchObject([{ kind: 'webhook', asks: true }]);
  });
});

it('brakes and policy have defaults', () => {
  const { recovery, targets } = load('targets: [{ name: a, tcp: "h:1" }]');
  expect(recovery).toMatchObject({ brakes: BRAKES, offFile: null });
  expect(targets[0]?.policy).toEqual(POLICY);
});

it('brakes and policy are as they are written; a target says more than the defaults', () => {
  const { recovery, targets } = load(`
recovery:
  start_grace: 0s
  cool_down: 1h
  per_target: 5/1h
  per_day: 20
  per_group: 2/1m
  overall: 9/1h
  share: 25%
  panic: 80%
  off_file: ./stop
defaults: { mode: dry_run, verify: { successes: 5, within: 2m }, veto: guard }
hooks:
  guard: { exec: ["true"] }
targets:
  - { name: a, tcp: "h:1", mode: enforce, verify: { within: 1m } }
  - { name: b, tcp: "h:1" }
`);
  expect(recovery.brakes).toEqual({
    startGraceMs: 0,
    coolDownMs: 3_600_000,
    coolDownMaxMs: 3_600_000,
    perTarget: { most: 5, withinMs: 3_600_000 },
    perDay: 20,
    perGroup: { most: 2, withinMs: 60_000 },
    overall: { most: 9, withinMs: 3_600_000 },
    share: 0.25,
    panicAt: 0.8,
  });
  expect(recovery.offFile).toMatch(/\/stop$/);
  expect(targets.map(({ policy }) => policy)).toEqual([
    { mode: 'enforce', verify: { successes: 5, withinMs: 60_000, stableMs: 30_000 }, veto: 'guard' },
    { mode: 'dry_run', verify: { successes: 5, withinMs: 120_000, stableMs: 30_000 }, veto: 'guard' },
  ]);
});
