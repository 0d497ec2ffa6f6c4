import { describe, expect, test } from 'vitest';
import { heartbeatProbe } from '../../probes/heartbeat.ts';
import { probes } from '../../probes/index.ts';
import type { BeatMessage } from '../../src/core/beat.ts';
import type { Attempt } from '../../src/core/outcome.ts';
import { startAttempt } from '../../src/runtime/attempt.ts';
import { createInbox } from '../../src/runtime/inbox.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { aTarget } from '../support/targets.ts';
import { verdict } from '../support/verdict.ts';

const TOKEN = 'correct-horse-battery';
const WRITTEN = { every: '30s', grace: '10s', token: TOKEN };
const BEAT: BeatMessage = { says: 'ok', facts: {} };

function node(written: unknown = WRITTEN) {
  const clock = createFakeClock();
  const inbox = createInbox(clock);
  inbox.expect([{ name: 'n', windowMs: 40_000 }]);
  const probe = heartbeatProbe(inbox);
  const settings = probe.settings.parse(written);
  return {
    clock,
    inbox,
    async ask(): Promise<Attempt> {
      const { settled, ended } = startAttempt({
        target: aTarget({ name: 'n', probe: { kind: 'heartbeat', settings } }),
        probe,
        number: 1,
        clock,
        redact: (text) => text,
        onTrouble: (what, detail) => expect.unreachable(`${what}: ${detail}`),
      });
      const attempt = await settled;
      await ended;
      expect(clock.pending).toBe(0);
      return attempt!;
    },
  };
}

describe('judgement', () => {
  test('none yet says nothing, until one was due; then it was missed', async () => {
    const { ask, clock } = node();
    expect((await ask()).outcome).toEqual({
      status: 'void',
      message: 'no beat yet; it counts as missed in 40s',
    });
    clock.stall(40_000);
    expect((await ask()).outcome.status).toBe('void');
    clock.stall(1);
    const attempt = await ask();
    expect(verdict(attempt)).toBe('fail missed silent');
    expect(attempt.outcome.message).toBe('no beat since listening began 40s ago; one was due every 30s');
  });

  test('fine for as long as the last one is young enough, then missed, then fine again', async () => {
    const { ask, clock, inbox } = node();
    inbox.take('n', { ...BEAT, seq: 1, facts: { load: 0.5, ready: true } });
    clock.stall(3_240);
    expect((await ask()).outcome).toEqual({
      status: 'ok',
      message: 'beat 3.2s ago',
      facts: { load: 0.5, ready: true, seq: 1 },
    });
    clock.stall(36_760);
    expect((await ask()).outcome).toMatchObject({ status: 'ok', message: 'beat 40s ago' });
    clock.stall(1_000);
    expect((await ask()).outcome).toEqual({
      status: 'fail',
      reason: 'missed',
      message: 'no beat for 41s; one was due every 30s',
      facts: { seq: 1 },
    });
    inbox.take('n', BEAT);
    expect((await ask()).outcome).toMatchObject({ status: 'ok', message: 'beat 0.0s ago' });
  });

  test('a node may say that it is in trouble', async () => {
    const { ask, inbox } = node();
    inbox.take('n', { says: 'warn', message: 'disk is filling', facts: { free: 3 } });
    expect((await ask()).outcome).toEqual({
      status: 'warn',
      message: 'disk is filling (beat 0.0s ago)',
      facts: { free: 3 },
    });
    inbox.take('n', { says: 'fail', facts: {} });
    expect(verdict(await ask())).toBe('fail status explicit');
  });

  test('a beat that is ignored does not keep the target alive', async () => {
    const { ask, clock, inbox } = node();
    inbox.take('n', { ...BEAT, seq: 5 });
    for (let i = 0; i < 4; i++) {
      clock.stall(10_000);
      inbox.take('n', { ...BEAT, seq: 5 });
    }
    clock.stall(1);
    expect(verdict(await ask())).toBe('fail missed silent');
  });

  test('a beat that waits in a queue when its time is over is read before the judgement', async () => {
    const { ask, clock, inbox } = node();
    inbox.take('n', BEAT);
    clock.stall(60_000);
    // A connection to accept, a head to read, a body to read.
    setImmediate(() => setImmediate(() => setImmediate(() => inbox.take('n', BEAT))));
    expect((await ask()).outcome).toMatchObject({ status: 'ok' });
  });

  test('without a listener, as in once and probe, it says nothing', async () => {
    expect((await attemptOnce(probes.heartbeat, WRITTEN)).outcome).toEqual({
      status: 'void',
      message: 'nothing listens for beats here; vitald run does',
    });
  });
});

describe('the inbox over reloads', () => {
  test('what stays is kept, what is new waits its own time, what is gone is forgotten', async () => {
    const { ask, clock, inbox } = node();
    inbox.take('n', { ...BEAT, seq: 3 });
    clock.stall(20_000);
    inbox.expect([
      { name: 'n', windowMs: 40_000 },
      { name: 'm', windowMs: 40_000 },
    ]);
    expect((await ask()).outcome).toMatchObject({ status: 'ok', message: 'beat 20s ago' });
    expect(inbox.take('n', { ...BEAT, seq: 3 })).toEqual({ taken: false, why: 'seq 3 is not above 3' });
    expect(inbox.look('m')).toMatchObject({ since: clock.now() });
    inbox.expect([{ name: 'm', windowMs: 40_000 }]);
    expect(inbox.look('n')).toBeUndefined();
    expect(inbox.take('n', BEAT)).toBe('unknown');
  });

  test('a new address gives everyone one more period', async () => {
    const { ask, clock, inbox } = node();
    inbox.take('n', BEAT);
    clock.stall(39_000);
    inbox.listenAnew();
    clock.stall(2_000);
    expect((await ask()).outcome.status).toBe('void');
    clock.stall(39_000);
    expect(verdict(await ask())).toBe('fail missed silent');
  });

  test('the clocks of others do not matter, nor does our own wall clock', async () => {
    const { ask, clock, inbox } = node();
    clock.wallTime = () => Date.UTC(1970, 0, 1);
    inbox.take('n', { ...BEAT, facts: { time: '2099-01-01T00:00:00Z' } });
    clock.wallTime = () => Date.UTC(2099, 0, 1);
    clock.stall(30_000);
    expect((await ask()).outcome.status).toBe('ok');
  });
});
