import { describe, expect, it } from 'vitest';
import type { ActionRow } from '../../src/core/action.ts';
import type { RecoveryReport } from '../../src/core/recovery.ts';
import { aStep, createWorld, type World, type WorldOptions } from '../support/recovery-world.ts';
import { aTarget } from '../support/targets.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const t = aTarget({ name: 't', recover: ['mend'], rules: { intervalMs: 1_000, retryIntervalMs: 500 } });
const LADDER = [aStep('mend/1'), aStep('mend/2', { attempts: 2 }), aStep('mend/3', { asks: true })];

/** A world past its start grace, with all targets up. */
async function world(options: Partial<WorldOptions> = {}): Promise<World> {
  const one = createWorld({ targets: [t], ladder: LADDER, ...options });
  await one.clock.advance(31 * SECOND);
  return one;
}

/** Reports in short. */
function story(reports: readonly RecoveryReport[]): string[] {
  return reports.map((report) => {
    switch (report.what) {
      case 'held':
        return `held ${report.holds.map(({ gate }) => gate).join(' ')}`;
      case 'begins':
        return `begins ${report.action.step}`;
      case 'acted':
        return `acted ${report.action.result}`;
      case 'outcome':
        return `${report.action.outcome}`;
      case 'refused':
      case 'gave_up':
      case 're_armed':
        return `${report.what}: ${report.why}`;
      default:
        return report.what;
    }
  });
}

function rows(one: World): ActionRow[] {
  return [...(one.disk().tables.get('action')?.values() ?? [])] as unknown as ActionRow[];
}

describe('recovery', () => {
  it('acts on a target that is down, and its probe says that it helped', async () => {
    const one = await world({ act: ({ target }, { set }) => (set(target, 'ok'), 'ok') });
    one.set('t', 'refused');
    await one.clock.advance(2 * MINUTE);
    expect(story(one.reports)).toEqual(['begins mend/1', 'acted ok', 'recovered']);
    expect(one.stateOf('t')).toBe('up');
    await one.recovery().stop(0);
  });

  it('lets traffic go first, and is acting until the verdict', async () => {
    let until = Infinity;
    const one = await world({
      act: ({ target }, { set }) => (set(target, 'ok'), 'ok'),
      drainsUntil: (now) => (until = Math.min(until, now + 20 * SECOND)),
    });
    one.set('t', 'refused');
    await one.clock.advance(2 * MINUTE);
    expect(story(one.reports)).toEqual(['held drain', 'begins mend/1', 'acted ok', 'recovered']);
    expect(one.acted[0]!.at).toBeGreaterThanOrEqual(until);
    expect(one.acted[0]!.at).toBeLessThan(until + 2 * SECOND);
    expect(one.recovery().isActing('t')).toBe(false);
    await one.recovery().stop(0);
  });

  it('is acting from the last look to the verdict, and not where it is a dry run', async () => {
    for (const isDryRun of [false, true]) {
      const one = await world({ isDryRun });
      expect([one.recovery().isActing('t'), one.recovery().isActing('x')]).toEqual([false, false]);
      one.set('t', 'refused');
      await one.clock.advance(20 * SECOND);
      expect(story(one.reports)).toContain('acted ok');
      expect(one.recovery().isActing('t')).toBe(!isDryRun);
      await one.recovery().stop(0);
    }
  });

  it('comes to its verdict though timers come a fraction early', async () => {
    const one = await world({ act: ({ target }, { set }) => (set(target, 'ok'), 'ok'), earlyMs: 0.4 });
    one.set('t', 'refused');
    await one.clock.advance(2 * MINUTE);
    expect(story(one.reports)).toEqual(['begins mend/1', 'acted ok', 'recovered']);
    await one.recovery().stop(0);
  });

  it('climbs step by step, each after its cool-down, and gives up', async () => {
    const one = await world();
    one.set('t', 'refused');
    await one.clock.advance(60 * MINUTE);
    expect(story(one.reports).filter((line) => /^(begins|gave)/.test(line))).toEqual([
      'begins mend/1',
      'begins mend/2',
      'begins mend/2',
      'begins mend/3',
      'gave_up: every step has been tried',
    ]);
    const waits = one.acted.map(({ at }, index) => at - (one.acted[index - 1]?.at ?? at));
    // The action, its settling and its verification come first where they take longer.
    expect(waits.map((ms) => Math.round(ms / SECOND))).toEqual([0, 71, 121, 241]);
    expect(one.recovery().standing('t')).toMatchObject({
      gaveUp: 'every step has been tried',
      next: null,
      used: { 'mend/1': 1, 'mend/2': 2, 'mend/3': 1 },
    });
  });

  it('does nothing where the last look is good', async () => {
    const one = await world();
    one.set('t', 'refused');
    // The third failure in a row brings it down, and the next attempt is the last look.
    while (one.stateOf('t') !== 'down') await one.clock.advance(100);
    one.set('t', 'ok');
    await one.clock.advance(MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports)).toEqual(['self_healed']);
  });

  it.each([
    ['mode', { mode: 'observe' as const }, 'held mode'],
    ['purpose', {}, 'held purpose'],
  ])('does nothing where the %s forbids it', async (gate, policy, expected) => {
    const target = {
      ...t,
      policy: { ...t.policy, ...policy },
      ...(gate === 'purpose' && { purpose: 'ready' as const }),
    };
    const one = await world({ targets: [target] });
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports)).toEqual([expected]);
  });

  it.each([
    ['paused', { hushed: 'paused: deploy' }, { hushed: null }],
    ['unreachable', { unreachable: true }, { unreachable: false }],
  ])('does nothing while it is %s, and acts once that is over', async (gate, on, off) => {
    const one = await world();
    one.set('t', 'refused');
    Object.assign(one.circumstances, on);
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports)).toEqual([`held ${gate}`]);
    Object.assign(one.circumstances, off);
    await one.clock.advance(5 * SECOND);
    expect(one.acted).toHaveLength(1);
  });

  it('does nothing while the agent doubts itself, or has stood still a moment ago', async () => {
    const one = await world();
    one.set('t', 'refused');
    while (one.stateOf('t') !== 'down') await one.clock.advance(100);
    one.circumstances.doubtful = true;
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toEqual([]);
    one.circumstances.doubtful = false;
    one.circumstances.pausedAt = one.clock.now();
    await one.clock.advance(29 * SECOND);
    expect(one.acted).toEqual([]);
    await one.clock.advance(5 * SECOND);
    expect(one.acted).toHaveLength(1);
  });

  it('does nothing within the start grace', async () => {
    const one = createWorld({ targets: [t], ladder: LADDER });
    one.set('t', 'refused');
    await one.clock.advance(29 * SECOND);
    expect(one.acted).toEqual([]);
    await one.clock.advance(3 * SECOND);
    expect(one.acted).toHaveLength(1);
  });

  it('takes the step that cures the evidence, and none where none does', async () => {
    const ladder = [aStep('mend/1', { on: ['explicit'] }), aStep('mend/2', { on: ['silent'] })];
    const one = await world({ ladder });
    one.set('t', 'timeout');
    await one.clock.advance(10 * SECOND);
    expect(one.acted.map(({ step }) => step)).toEqual(['mend/2']);
    const none = await world({ ladder: [aStep('mend', { on: ['explicit'] })] });
    none.set('t', 'timeout');
    await none.clock.advance(10 * MINUTE);
    expect(story(none.reports)).toEqual(['held evidence']);
  });

  it('is switched off for all, also for the next process, and on again', async () => {
    const one = await world();
    one.recovery().switchOff('migration', 'ann');
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    one.disk().tables.set('recovery', new Map([['switch', { off: 'migration' }]]));
    one.crash();
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(one.recovery().standing('t')?.holds).toContainEqual({
      gate: 'switch',
      why: 'recovery is off: migration',
      until: null,
    });
    one.recovery().switchOff(null, 'ann');
    await one.clock.advance(5 * SECOND);
    expect(one.acted).toHaveLength(1);
  });

  it('asks for a veto before each action, and not at once again', async () => {
    let answers = 0;
    const target = { ...t, policy: { ...t.policy, veto: 'guard' } };
    const one = await world({ targets: [target], veto: () => ++answers > 1 });
    one.set('t', 'refused');
    await one.clock.advance(30 * SECOND);
    expect([answers, one.acted.length]).toEqual([1, 0]);
    expect(rows(one)).toMatchObject([{ outcome: 'vetoed', why: 'the guard', counted: false }]);
    await one.clock.advance(45 * SECOND);
    expect([answers, one.acted.length]).toEqual([2, 1]);
    expect(story(one.reports)).toEqual(['vetoed', 'held cool_down', 'begins mend/1', 'acted ok']);
  });

  it('keeps a veto that says no for ever as one row that counts, also over a crash', async () => {
    let answers = 0;
    const target = { ...t, policy: { ...t.policy, veto: 'guard' } };
    const one = await world({ targets: [target], veto: () => ++answers > 1_000 });
    one.set('t', 'refused');
    await one.clock.advance(30 * MINUTE);
    expect(answers).toBeGreaterThan(20);
    expect(rows(one)).toMatchObject([{ outcome: 'vetoed', counted: false, vetoes: answers }]);
    expect(story(one.reports).filter((line) => line.startsWith('held'))).toEqual(['held cool_down']);
    const [{ at }] = rows(one) as [ActionRow];
    one.crash();
    await one.clock.advance(10 * MINUTE);
    expect(rows(one)).toMatchObject([{ vetoes: answers, at }]);
  });

  it('does all but the command in a dry run, and begins at the foot in earnest', async () => {
    const dry = { ...t, policy: { ...t.policy, mode: 'dry_run' as const } };
    const one = await world({ targets: [dry] });
    one.set('t', 'refused');
    await one.clock.advance(60 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports).filter((line) => /^(begins|gave)/.test(line))).toHaveLength(5);
    expect(rows(one).every(({ mode, what }) => mode === 'dry_run' && what === 'mend it')).toBe(true);
    one.reload([t]);
    await one.clock.advance(5 * SECOND);
    expect(one.acted.map(({ step }) => step)).toEqual(['mend/1']);
  });

  it('that has given up has given up after a dry run, too', async () => {
    const dry = { ...t, policy: { ...t.policy, mode: 'dry_run' as const } };
    const one = await world({ targets: [t] });
    one.set('t', 'refused');
    await one.clock.advance(60 * MINUTE);
    expect(story(one.reports).filter((line) => line.startsWith('gave'))).toHaveLength(1);
    const acted = one.acted.length;
    for (const targets of [[dry], [t]]) {
      one.reload(targets);
      one.crash();
      await one.clock.advance(30 * MINUTE);
    }
    expect(one.acted.length).toBe(acted);
  });

  it('takes no credit in a dry run of the whole agent', async () => {
    const one = await world({ isDryRun: true });
    one.set('t', 'refused');
    await one.clock.advance(8 * SECOND);
    one.set('t', 'ok');
    await one.clock.advance(2 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports)).toEqual(['begins mend/1', 'acted ok', 'self_healed']);
  });

  it('calls an action off where the target answers again, if its step says so', async () => {
    const one = await world({ ladder: [aStep('mend', { cancelOnUp: true })], act: () => 'hang' });
    one.set('t', 'refused');
    await one.clock.advance(10 * SECOND);
    one.set('t', 'ok');
    await one.clock.advance(2 * MINUTE);
    expect(story(one.reports)).toEqual(['begins mend', 'acted failed', 'self_healed']);
    expect(rows(one)[0]).toMatchObject({ detail: 'called off: the target answers again' });
  });

  it('goes on where it was after a relapse, and anew after ten minutes of being up', async () => {
    const one = await world({ act: ({ target }, { set }) => (set(target, 'ok'), 'ok') });
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    expect(one.acted.map(({ step }) => step)).toEqual(['mend/1', 'mend/2']);
    await one.clock.advance(31 * MINUTE);
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    expect(one.acted.map(({ step }) => step)).toEqual(['mend/1', 'mend/2', 'mend/1']);
  });

  it('has withdrawn a target for as long as the ladder remembers, also after a crash', async () => {
    const withdraw = aStep('out', { withdraws: true });
    const one = await world({
      ladder: [withdraw, aStep('mend')],
      act: ({ target, step }, { set }) => (step === 'mend' && set(target, 'ok'), 'ok'),
    });
    const isOut = (): boolean => one.recovery().isWithdrawn('t');
    expect([isOut(), one.recovery().isWithdrawn('x')]).toEqual([false, false]);
    one.set('t', 'refused');
    await one.clock.advance(6 * MINUTE);
    expect([one.acted.map(({ step }) => step), one.stateOf('t'), isOut()]).toEqual([
      ['out', 'mend'],
      'up',
      true,
    ]);
    one.crash();
    expect(isOut()).toBe(true);
    one.recovery().acknowledge('t', 'ann');
    expect(isOut()).toBe(false);
    one.set('t', 'refused');
    await one.clock.advance(6 * MINUTE);
    expect([one.stateOf('t'), isOut()]).toEqual(['up', true]);
    await one.clock.advance(11 * MINUTE);
    expect(isOut()).toBe(false);
  });

  it('keeps the end of what was printed, from a whole line on, without secrets and what a terminal would obey', async () => {
    const secret = 'abcdefgh-12345678';
    const end = `\u001b[31mtoken ${secret}\u001b[0m\n`.repeat(900);
    const one = await world({ secret, output: `${secret}${'x'.repeat(100)}\n${end}` });
    one.set('t', 'refused');
    await one.clock.advance(MINUTE);
    const [{ output }] = rows(one) as [ActionRow];
    expect(new Set(output.split('\n'))).toEqual(new Set(['token ***']));
    const cut = 8_000;
    // Whichever letter it would have been cut at.
    for (const length of [1, 5, 9]) {
      const other = await world({ secret, output: `${secret}${'\n'.repeat(cut - length)}.` });
      other.set('t', 'refused');
      await other.clock.advance(MINUTE);
      expect(rows(other)[0]!.output).not.toMatch(/[a-h\d]/);
    }
  });

  it('knows of a panic after a crash, and that somebody has looked at it', async () => {
    const targets = ['a', 'b', 'c'].map((name) => aTarget({ ...t, name, group: 'g' }));
    const one = await world({ targets, ladder: [aStep('mend', { attempts: 9 })] });
    const isHeld = (): boolean =>
      one
        .recovery()
        .standing('a')!
        .holds.some(({ gate }) => gate === 'panic');
    for (const name of ['a', 'b']) one.set(name, 'refused');
    await one.clock.advance(MINUTE);
    expect([isHeld(), one.acted]).toEqual([true, []]);
    // One of three is less than 40 %, and more than two minutes have not passed.
    one.set('b', 'ok');
    await one.clock.advance(10 * SECOND);
    one.crash();
    await one.clock.advance(40 * SECOND);
    expect([isHeld(), one.acted]).toEqual([true, []]);
    one.recovery().acknowledge('c', 'ann');
    // What it does now is written before, and that with it.
    await one.clock.advance(10 * SECOND);
    one.crash();
    await one.clock.advance(40 * SECOND);
    expect(isHeld()).toBe(false);
    expect(one.acted.map(({ target }) => target)).toContain('a');
    expect(one.disk().tables.get('recovery')?.get('panic g')).toMatchObject({ acked: true });
  });

  it.each([
    ['a long line loses its end, and says so', 'x'.repeat(600), `${'x'.repeat(499)}…`],
    [
      'half of a secret at the cut is masked',
      `${'x'.repeat(490)}abcdefgh\t12345678`,
      `${'x'.repeat(490)}***`,
    ],
    ['a terminal is not obeyed', '\u001b[31mred\u001b[0m\u0007', 'red'],
    [
      'a secret may have colours in it',
      'ABCDEFGH\u001b[31m-1234\u001b[0m5678 no',
      '*** no',
      'abcdefgh-12345678',
    ],
    ['a secret may have what cleaning takes away', 'is abcdefgh\t12345678', 'is ***'],
  ])('of what an action says and prints, %s', async (_, said, kept, secret = 'abcdefgh\t12345678') => {
    const one = await world({ secret, detail: said, output: said });
    one.set('t', 'refused');
    await one.clock.advance(MINUTE);
    const [{ detail, output }] = rows(one) as [ActionRow];
    expect(detail).toBe(kept);
    expect(output).not.toMatch(/[a-h].?\d|\u001b/i);
  });

  it('is armed again by somebody who has looked, and by an hour of being up', async () => {
    const one = await world({ ladder: [aStep('mend')] });
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    expect(one.recovery().standing('t')?.gaveUp).not.toBeNull();
    expect(one.recovery().acknowledge('t', 'ann')).toBe(true);
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toHaveLength(2);
    expect(one.recovery().standing('t')?.gaveUp).not.toBeNull();
    one.set('t', 'ok');
    await one.clock.advance(59 * MINUTE);
    expect(one.recovery().standing('t')?.gaveUp).not.toBeNull();
    await one.clock.advance(2 * MINUTE);
    expect(one.recovery().standing('t')?.gaveUp).toBeNull();
    expect(one.recovery().acknowledge('no such target', 'ann')).toBe(false);
  });
});

describe('without a store that can be written', () => {
  it('refuses to act, says so once, and acts once it is back', async () => {
    const one = await world();
    one.disk().lagMs = null;
    one.set('t', 'refused');
    await one.clock.advance(5 * MINUTE);
    expect(one.acted).toEqual([]);
    expect(story(one.reports)).toEqual(['held store']);
    one.disk().lagMs = 5;
    await one.clock.advance(5 * SECOND);
    expect(one.acted).toHaveLength(1);
  });

  it('refuses where that shows only while the intent is written, and forgets the attempt', async () => {
    const one = await world({ ladder: [aStep('mend')] });
    one.set('t', 'refused');
    one.disk().lagMs = 100;
    while (one.recovery().standing('t')?.phase !== 'intending') await one.clock.advance(10);
    one.disk().lagMs = null;
    await one.clock.advance(10 * SECOND);
    expect(one.acted).toEqual([]);
    expect(story(one.reports).join('\n')).toMatch(
      /refused: the store did not take the intent: the disk is full/,
    );
    one.disk().lagMs = 5;
    await one.clock.advance(5 * SECOND);
    expect(one.acted).toHaveLength(1);
  });
});

describe('after a crash', () => {
  async function until(one: World, phase: string): Promise<void> {
    for (let turn = 0; one.recovery().standing('t')?.phase !== phase; turn++) {
      if (turn > 10_000) throw new Error(`it never comes to ${phase}`);
      await one.clock.advance(2);
    }
  }

  it.each(['probing', 'intending', 'acting', 'settling', 'verifying'])(
    'while %s, nothing is done twice, and verification decides',
    async (phase) => {
      const one = await world({
        ladder: [aStep('mend/1'), aStep('mend/2')],
        act: () => ({ lasts: 500 }),
      });
      one.set('t', 'refused');
      await until(one, phase);
      one.crash();
      await one.clock.advance(20 * MINUTE);
      expect(one.acted.map(({ step }) => step)).toEqual(
        // An intent that had not reached the disk is none.
        ['mend/1', 'mend/2'],
      );
      expect(new Set(one.acted.map(({ id }) => id)).size).toBe(2);
      expect(rows(one).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
      expect(one.recovery().standing('t')?.gaveUp).not.toBeNull();
    },
  );

  it('an intent on the disk counts as used, whether or not it was acted on', async () => {
    const one = await world({ ladder: [aStep('mend/1'), aStep('mend/2')], act: () => 'hang' });
    one.set('t', 'refused');
    await until(one, 'acting');
    one.crash();
    expect(one.recovery().standing('t')).toMatchObject({ used: { 'mend/1': 1 } });
    one.set('t', 'ok');
    await one.clock.advance(2 * MINUTE);
    expect(rows(one)).toMatchObject([{ result: 'unknown', outcome: 'recovered' }]);
  });

  it('what has no target or step any more is not left open', async () => {
    const one = await world({ act: () => 'hang' });
    one.set('t', 'refused');
    await until(one, 'acting');
    one.reload([t], [aStep('another')]);
    one.crash();
    await one.clock.advance(SECOND);
    expect(one.recovery().standing('t')?.phase).toBeNull();
  });
});

describe('at the end', () => {
  it('an action that runs has its grace, and is left to the next process', async () => {
    const one = await world({ act: () => ({ lasts: 3_000 }) });
    one.set('t', 'refused');
    while (one.acted.length === 0) await one.clock.advance(100);
    let ended = false;
    void one
      .recovery()
      .stop(10_000)
      .then(() => (ended = true));
    await one.clock.advance(2_000);
    expect(ended).toBe(false);
    await one.clock.advance(2_000);
    expect(ended).toBe(true);
    expect(story(one.reports)).toEqual(['begins mend/1', 'acted ok']);
  });

  it('one that takes longer is called off', async () => {
    const one = await world({ act: () => 'hang' });
    one.set('t', 'refused');
    while (one.acted.length === 0) await one.clock.advance(100);
    void one.recovery().stop(1_000);
    await one.clock.advance(1_100);
    expect(one.reports.at(-1)).toMatchObject({
      what: 'acted',
      action: { result: 'failed', detail: 'called off: the agent is stopping' },
    });
  });
});
