import { describe, expect, test } from 'vitest';
import { explanationRoute } from '../../src/api/explanation.ts';
import type { ExplanationAnswer } from '../../src/api/explanation.ts';
import { explanation } from '../../src/cli/picture/explanation.ts';
import { termRows } from '../../src/cli/picture/terms.ts';
import { deriveRules } from '../../src/core/contract.ts';
import { phaseOf } from '../../src/core/schedule.ts';
import type { Target } from '../../src/core/target.ts';
import { termsOf } from '../../src/core/terms.ts';
import { createJudgements } from '../../src/observe/judgements.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { type ScriptedProbe, scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const PAGE = { paint: (_format: unknown, text: string) => text, columns: 80 };
const CONFIRM = { explicit: 2_000, silent: 6_000, path: 10_000 };

/** What is said of a target after so long; times of day as `HH:MM:SS`. */
async function explained(
  probes: Readonly<Record<string, ScriptedProbe>>,
  targets: readonly Target[],
  /** ms from the first start of `t`. */
  { ms, hushed = null }: { ms: number; hushed?: string | null },
) {
  const clock = createFakeClock();
  const judgements = createJudgements();
  const fleet = createFleet({
    probes,
    clock,
    observer: { ...recorder().observer, onAttempt: judgements.observer.onAttempt! },
    redact: (text) => text,
    hushedBecause: () => hushed,
  });
  fleet.apply(targets, { total: 100, perHost: 100 });
  await clock.advance(phaseOf('t', 5_000) + ms);
  const route = explanationRoute({
    recovery: () => null,
    view: fleet.view,
    history: judgements.of,
    targets: () => targets,
  });
  const { status, body } = await route.answer({ params: { name: 't' }, query: {}, body: undefined });
  expect(status).toBe(200);
  await fleet.stop();
  const answer = body as ExplanationAnswer;
  const text = explanation(answer, PAGE);
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  return { answer, text: text.replaceAll(/\d\d:\d\d:\d\d/g, 'HH:MM:SS') };
}

/** The paragraph that begins with this line. */
function part(text: string, title: string): string[] {
  const found = text.split('\n\n').find((paragraph) => paragraph.startsWith(title));
  return found?.split('\n').slice(1) ?? [];
}

describe('why did it not fire', () => {
  test('two of three failures, and when the third can be', async () => {
    const target = aTarget({ rules: { confirm: CONFIRM } });
    const { text } = await explained({ scripted: scriptedProbe('+--+') }, [target], { ms: 6_300 });
    expect(text.split('\n\n')[0]).toMatch(
      /^t {2}suspect {2}scripted\nt is suspect since HH:MM:SS \(1.3s\): 2 of 3 failures, 1.3s of 2s \(explicit\)\.\nDown at the next failure, at HH:MM:SS at the earliest \(in 700ms\)\.$/,
    );
    expect(part(text, 'verdicts and news held back now')).toEqual(['  nothing']);
    expect(part(text, 'down, if from now on it is')).toEqual([
      '  explicit  once: at HH:MM:SS (in 700ms)',
      '  silent    3 times: at HH:MM:SS (in 4.7s)',
      '  path      7 times: at HH:MM:SS (in 8.7s)',
    ]);
  });

  test('a dependency is not up: nothing counts, and that is said of each attempt', async () => {
    const probes = { scripted: scriptedProbe('+-'), db: scriptedProbe('-') };
    const db = aTarget({ name: 'db', probe: { kind: 'db', settings: {} } });
    const { text } = await explained(probes, [db, aTarget({ dependsOn: ['db'] })], { ms: 30_000 });
    expect(text).toContain('t  suspect  scripted  unreachable\n');
    expect(text).toContain('It cannot go down now: db is not up.');
    expect(part(text, 'verdicts and news held back now')).toEqual(['  unreachable  db is not up']);
    expect(part(text, 'down, if from now on it is')).toEqual([
      '  explicit, silent, path  not now: the failure does not count: db is not up',
    ]);
    expect(part(text, 'last judgements')[2]).toMatch(/held: the failure does not count: db is not up$/);
  });

  test('it is down, and nobody was told', async () => {
    const { text, answer } = await explained({ scripted: scriptedProbe('-') }, [aTarget()], {
      ms: 30_000,
      hushed: 'paused until 14:00 by ana: deploy',
    });
    expect(answer).toMatchObject({ state: 'down', told: { down: null } });
    expect(text.replaceAll('\n', ' ')).toMatch(
      /incident t-\w+; nobody was told: paused until 14:00 by ana: deploy\./,
    );
    expect(part(text, 'the next attempt')).toContainEqual(
      expect.stringMatching(/^ {2}explicit, silent, path {2}down; nobody is told: paused/),
    );
  });
});

describe('why did it fire', () => {
  test('the verdict is in the history, with what spoke for it', async () => {
    const target = aTarget({ rules: { confirm: CONFIRM } });
    const { text, answer } = await explained({ scripted: scriptedProbe('+++-') }, [target], { ms: 31_000 });
    expect(answer.told.down).toBe(answer.incident);
    expect(part(text, 'last judgements').map((line) => line.trim().replace('HH:MM:SS  ', ''))).toEqual([
      '✗ down     refused: no',
      '3 times until HH:MM:SS',
      '✗ down     refused: no',
      'explicit 3 in 2s',
      '✗ suspect  refused: no',
      '2 times until HH:MM:SS, explicit 2 in 1s',
      '✓ up       fine',
      '3 times until HH:MM:SS',
    ]);
  });

  test('of an attempt under way it is said what it may come to, and from when on', async () => {
    const target = aTarget({
      rules: { failureThreshold: 1, confirm: { explicit: 600, silent: 1_500, path: 5_000 } },
    });
    const { text, answer } = await explained({ scripted: scriptedProbe('+h') }, [target], { ms: 5_300 });
    expect(answer.next[0]).toMatchObject({ under_way: true });
    const from = answer.next[0]!.outcomes.flatMap(({ outcome, from_ms }) =>
      from_ms === null ? [] : [outcome, from_ms],
    );
    expect(from).toEqual(['explicit', 299, 'silent', 1_199]);
    expect(part(text, 'the attempt that began')).toEqual([
      '  ok, warn  up',
      '  explicit  suspect; down, down is told if it ends at HH:MM:SS or later',
      '  silent    suspect; down, down is told if it ends at HH:MM:SS or later',
      '  path      suspect',
      '  void      up: it does not count',
    ]);
  });
});

test('a target that is not known yet, and one that there is not', async () => {
  const { text } = await explained({ scripted: scriptedProbe('+') }, [aTarget()], { ms: -10 });
  expect(text).toMatch(
    /^t is unknown since HH:MM:SS \([\d.]+s\): no attempt has said anything about it yet\.$/m,
  );
  expect(part(text, 'last judgements')).toEqual(['  none yet']);
  const route = explanationRoute({
    view: () => undefined,
    recovery: () => null,
    history: () => [],
    targets: () => [aTarget()],
  });
  expect(await route.answer({ params: { name: 'tt' }, query: {}, body: undefined })).toEqual({
    status: 404,
    body: { error: 'there is no target "tt"', near: 't' },
  });
});

describe('a contract', () => {
  const promising = (detectWithinMs: number): Target =>
    aTarget({
      contract: { detectWithinMs, maxFalseDown: 1 / (30 * 86_400_000), written: { confirm: {} } },
    });

  test('says what was chosen for it, and the blips that it rests on', async () => {
    const scripted = scriptedProbe('+-+');
    const { text, answer } = await explained({ scripted }, [promising(12_000)], { ms: 30_000 });
    expect(part(text, 'rule')[0]).toMatch(/^ {2}asked {2}every 2s for at most 2s/);
    expect(part(text, 'contract')).toEqual([
      '  kept      found within 12s, a false one 1/30d10h; asked for 12s and 1/30d',
      '  explicit  nothing is measured yet: wants a window of 2s',
      '  silent    nothing is measured yet: wants a window of 6s',
      '  path      nothing is measured yet: wants a window of 10s',
    ]);
    expect(answer.contract).toMatchObject({ kept: true, detect_within_ms: 12_000, max_false_down: '1/30d' });
  });

  test('that cannot be kept says what would', async () => {
    const { text } = await explained({ scripted: scriptedProbe('+') }, [promising(8_000)], { ms: 0 });
    expect(part(text, 'contract')).toEqual([
      '  not kept  found within 8s, a false one 1/1d20h; asked for 8s and 1/30d, and',
      '            for 1/30d it takes 12s',
      '  explicit  nothing is measured yet: wants a window of 2s',
      '  silent    nothing is measured yet: wants a window of 6s',
      '  path      nothing is measured yet: wants a window of 10s, and has room for 6s',
    ]);
  });

  test('rests on blips', () => {
    const day = {
      watchedMs: 86_400_000,
      looks: 43_200,
      blips: { silent: { count: 12, heardMs: 24_000, lastedMs: 12_000, roomMs: 96_000 } },
    };
    const { contract, rules } = promising(60_000);
    const terms = termsOf(contract!, deriveRules(contract!, { days: [day] }, rules));
    expect(termRows(terms).map((row) => row.join(': '))).toEqual([
      'kept: found within 37.3s, a false one 1/71d21h; asked for 1m and 1/30d',
      'explicit: no blip in 1d: wants a window of 2s',
      'silent: 12 blips in 1d, about 1.21s beyond the first 2s: wants a window of 7.3s',
      'path: no blip in 1d: wants a window of 5s',
    ]);
  });

  test('is not spoken of where there is none', async () => {
    const { text, answer } = await explained({ scripted: scriptedProbe('+') }, [aTarget()], { ms: 0 });
    expect(answer.contract).toBeNull();
    expect(part(text, 'contract')).toEqual([]);
  });
});
