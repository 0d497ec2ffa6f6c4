import { z } from 'zod';
import type { Beat, BeatReader, BeatWatch } from '../src/core/beat.ts';
import { type Outcome, fail, ok, voided, warn } from '../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../src/core/probe.ts';
import { formatDuration } from '../src/core/units.ts';
import { duration } from '../src/schema/scalars.ts';
import { token } from '../src/schema/token.ts';

/**
 * Turns of the event loop before a beat counts as missed. After a stall the beats of meanwhile wait in the sockets' queues:
 * one turn accepts the connection, one reads it, and a body may come after its head.
 */
const TURNS = 8;

const keys = z.strictObject({
  every: duration({ min: 100 }).describe('how often the node sends a beat'),
  grace: duration({ min: 0 }).default(10_000).describe('how late a beat may be'),
  token: token.describe('what the node sends as `authorization: Bearer TOKEN`; 16 characters or more'),
});

export type HeartbeatSettings = z.infer<typeof keys>;

/** The node comes to us: its beats are in the inbox, and an attempt looks at how old the last one is. */
export function heartbeatProbe(inbox: BeatReader): Probe<HeartbeatSettings> {
  return {
    kind: 'heartbeat',
    settings: keys,
    async attempt(settings, context) {
      let judgement = judge(inbox.look(context.target), settings, context);
      for (let turn = 0; turn < TURNS && isMissed(judgement) && !context.signal.aborted; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        judgement = judge(inbox.look(context.target), settings, context);
      }
      return judgement;
    },
  };
}

function isMissed(outcome: Outcome): boolean {
  return outcome.status === 'fail' && outcome.reason === 'missed';
}

function judge(
  watch: BeatWatch | undefined,
  { every, grace }: HeartbeatSettings,
  { clock }: Pick<ProbeContext, 'clock'>,
): Outcome {
  if (!watch) return voided('nothing listens for beats here; vitald run does');
  const now = clock.now();
  const { last, since } = watch;
  if (last && now - last.at <= every + grace) return said(last, now);
  const left = since + every + grace - now;
  if (left >= 0) {
    return voided(`no beat yet; it counts as missed in ${formatDuration(Math.max(1, Math.ceil(left)))}`);
  }
  return fail(
    'missed',
    `no beat ${last ? `for ${age(now - last.at)}` : `since listening began ${age(now - since)} ago`}; one was due every ${formatDuration(every)}`,
    last?.seq === undefined ? undefined : { seq: last.seq },
  );
}

function said({ at, says, message, seq, facts }: Beat, now: number): Outcome {
  const when = `beat ${age(now - at)} ago`;
  const text = message === undefined ? when : `${message} (${when})`;
  const all = seq === undefined ? facts : { ...facts, seq };
  switch (says) {
    case 'ok':
      return ok(text, all);
    case 'warn':
      return warn(text, all);
    case 'fail':
      return fail('status', text, all);
  }
}

function age(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)}s` : formatDuration(Math.floor(ms / 1_000) * 1_000);
}
