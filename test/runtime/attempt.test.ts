import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Facts, type Outcome, type Phase, classOf, fail, ok } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { type Redact, createRedactor } from '../../src/core/redact.ts';
import { startAttempt } from '../../src/runtime/attempt.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

function begin(probe: Probe, { redact = (text: string) => text } = {}) {
  const clock = createFakeClock();
  const troubles: string[] = [];
  const attempt = startAttempt({
    target: aTarget({ rules: { timeoutMs: 2_000 } }),
    probe,
    number: 7,
    clock,
    redact,
    onTrouble: (what, detail) => troubles.push(`${what}: ${detail.split('\n')[0]}`),
  });
  return { attempt, clock, troubles };
}

/** A probe that does what it is told with its context. */
function probeThat(attempt: (context: ProbeContext) => Promise<Outcome>): Probe {
  return { kind: 'test', settings: z.unknown(), attempt: (_settings, context) => attempt(context) };
}

test('an answer is settled with its number, its start and its latency, and the deadline is forgotten', async () => {
  const { attempt, clock } = begin(
    probeThat(async ({ clock }) => {
      await new Promise<void>((resolve) => clock.schedule(clock.now() + 30, resolve));
      return ok('fine');
    }),
  );
  await clock.advance(30);
  expect(await attempt.settled).toMatchObject({
    outcome: { status: 'ok', message: 'fine' },
    number: 7,
    at: Date.UTC(2026, 0, 1),
    latencyMs: 30,
  });
  expect(clock.pending).toBe(0);
});

test('phases are timed by what the probe enters; one that is entered twice adds up', async () => {
  const plan: [Phase, number][] = [
    ['dns', 5],
    ['connect', 10],
    ['wait', 20],
    ['connect', 1],
    ['receive', 4],
  ];
  const { attempt, clock } = begin(
    probeThat(async ({ clock, enter }) => {
      for (const [phase, ms] of plan) {
        enter(phase);
        await new Promise<void>((resolve) => clock.schedule(clock.now() + ms, resolve));
      }
      return ok('fine');
    }),
  );
  await clock.advance(100);
  expect((await attempt.settled)?.phases).toEqual({ dns: 5, connect: 11, wait: 20, receive: 4 });
});

test.each([
  ['queue', 'void', undefined, null],
  ['dns', 'fail', 'dns', 'path'],
  ['connect', 'fail', 'connect_timeout', 'path'],
  ['tls', 'fail', 'timeout', 'silent'],
  ['send', 'fail', 'timeout', 'silent'],
  ['wait', 'fail', 'timeout', 'silent'],
  ['receive', 'fail', 'timeout', 'silent'],
  [undefined, 'fail', 'timeout', 'silent'],
] as const)('a deadline that passes in %s: %s %s', async (phase, status, reason, evidence) => {
  const { attempt, clock } = begin(
    probeThat(async ({ enter, signal }) => {
      if (phase) enter(phase);
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
      return ok('never');
    }),
  );
  await clock.advance(1_999);
  expect(await Promise.race([attempt.settled, Promise.resolve('open')])).toBe('open');
  await clock.advance(1);
  const settled = await attempt.settled;
  expect(settled?.outcome).toMatchObject({ status, ...(reason && { reason }) });
  expect(classOf(settled!.outcome)).toBe(evidence);
  expect(settled?.latencyMs).toBe(2_000);
});

test('a probe that ignores its signal is settled at the deadline, and ends when it ends', async () => {
  const probe = scriptedProbe('z');
  const { attempt, clock } = begin(probe);
  await clock.advance(2_000);
  expect((await attempt.settled)?.outcome).toMatchObject({ status: 'fail', reason: 'timeout' });
  let ended = false;
  void attempt.ended.then(() => {
    ended = true;
  });
  await clock.advance(10_000);
  expect(ended).toBe(false);
  probe.release();
  await attempt.ended;
});

test('an attempt that is called off has no outcome', async () => {
  const { attempt, clock } = begin(scriptedProbe('h'));
  attempt.cancel();
  expect(await attempt.settled).toBeNull();
  await attempt.ended;
  expect(clock.pending).toBe(0);
});

test('a thrown bug is void, and told', async () => {
  const { attempt, troubles } = begin(scriptedProbe('!'));
  expect((await attempt.settled)?.outcome).toEqual({
    status: 'void',
    message: 'our own trouble: a bug in the probe: !',
  });
  expect(troubles).toEqual(['probe scripted: Error: a bug in the probe: !']);
});

test('where our own loop was late, the deadline is set anew once, so that an answer that has arrived is read', async () => {
  let answer: (outcome: Outcome) => void = () => {};
  const { attempt, clock } = begin(probeThat(() => new Promise((resolve) => (answer = resolve))));
  clock.stall(2_300);
  await clock.advance(0);
  expect(await Promise.race([attempt.settled, Promise.resolve('open')])).toBe('open');
  answer(ok('it was there all the time'));
  expect((await attempt.settled)?.outcome.status).toBe('ok');
});

test('the credit for a stall is given once', async () => {
  const { attempt, clock } = begin(scriptedProbe('h'));
  clock.stall(2_300);
  await clock.advance(0);
  clock.stall(2_000);
  await clock.advance(0);
  expect((await attempt.settled)?.outcome).toMatchObject({ reason: 'timeout' });
});

test('secrets that a target echoes are masked in messages and facts', async () => {
  const { attempt } = begin(
    probeThat(async () => fail('mismatch', 'got s3cret', { token: 's3cret', load: 3, pin: 4242, s3cret: 1 })),
    { redact: (text) => text.replaceAll(/s3cret|4242/g, '***') },
  );
  expect((await attempt.settled)?.outcome).toEqual({
    status: 'fail',
    reason: 'mismatch',
    message: 'got ***',
    facts: { token: '***', load: 3, pin: '***', '***': 1 },
  });
});

describe('a wait for our own resources', () => {
  function waiting(queueMs: number, answerMs: number): Probe {
    return probeThat(async ({ clock, enter }) => {
      const pause = (ms: number) => new Promise<void>((resolve) => clock.schedule(clock.now() + ms, resolve));
      enter('queue');
      await pause(queueMs);
      enter('wait');
      await pause(answerMs);
      return ok('fine');
    });
  }

  test('does not eat the timeout', async () => {
    const { attempt, clock } = begin(waiting(1_900, 1_900));
    await clock.advance(3_800);
    expect(await attempt.settled).toMatchObject({ outcome: { status: 'ok' }, latencyMs: 3_800 });
    expect(clock.pending).toBe(0);
  });

  test('gives the target no more than its timeout', async () => {
    const { attempt, clock } = begin(waiting(1_900, 2_100));
    await clock.advance(4_000);
    expect((await attempt.settled)!.outcome).toMatchObject({ status: 'fail', reason: 'timeout' });
  });

  test('that is as long as the timeout is void, and no shortage of the host', async () => {
    const { attempt, clock } = begin(waiting(2_100, 10));
    await clock.advance(2_200);
    expect((await attempt.settled)!.outcome).toEqual({
      status: 'void',
      message: 'our own trouble: the attempt did not get its turn within 2s',
    });
  });

  test('moves the deadline that the probe sees', async () => {
    const seen: number[] = [];
    const { attempt, clock } = begin(
      probeThat(async (context) => {
        seen.push(context.deadline - context.clock.now());
        context.enter('queue');
        await new Promise<void>((resolve) => context.clock.schedule(context.clock.now() + 500, resolve));
        context.enter('connect');
        seen.push(context.deadline - context.clock.now());
        return ok('fine');
      }),
    );
    await clock.advance(500);
    await attempt.settled;
    expect(seen).toEqual([2_000, 2_000]);
  });
});

describe('what a probe says is cleaned and bounded', () => {
  async function told(message: string, facts: Facts, redact?: Redact): Promise<Outcome | undefined> {
    const { attempt } = begin(
      probeThat(async () => ok(message, facts)),
      redact && { redact },
    );
    return (await attempt.settled)?.outcome;
  }

  test('nothing that a terminal obeys, no breaks of lines, no turned writing', async () => {
    const hostile = 'a\u001b[31mb\n\tc\u009b1md\u001b]0;pwn\u0007e\u202ef\u2028g\u007f';
    expect(await told(hostile, { [hostile]: hostile, fine: true })).toEqual({
      status: 'ok',
      message: 'ab cdef g',
      facts: { 'ab cdef g': 'ab cdef g', fine: true },
    });
  });

  test('bounds', async () => {
    const long = 'x'.repeat(1_000_000);
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`n${index}`, index]));
    const outcome = await told(long, { text: long, nan: Number.NaN, endless: Infinity, ...many });
    expect(outcome?.message).toBe(`${'x'.repeat(499)}…`);
    expect(outcome?.facts).toMatchObject({ text: `${'x'.repeat(499)}…`, n0: 0, n98: 98 });
    expect(Object.keys(outcome?.facts ?? {})).toHaveLength(100);
    expect((await told(`${'x'.repeat(498)}😀😀`, {}))?.message).toBe(`${'x'.repeat(498)}…`);
  });

  test.each([0, 480, 495, 3_990])('a secret at %i is masked before the text is cut', async (place) => {
    const secret = 'S3CRET-token-of-many-letters';
    const outcome = await told(`${'.'.repeat(place)}${secret} and more`, {}, createRedactor([secret]));
    expect(outcome?.message).not.toContain('S3');
  });
});
