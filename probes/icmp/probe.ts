import { isIP } from 'node:net';
import { z } from 'zod';
import { type Facts, type Outcome, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { type Exit, firstLine, minimalEnvironment, run } from '../../src/process/command.ts';
import { duration, family, integer, text, withShortForm } from '../../src/schema/scalars.ts';
import { type PingReport, readPing } from './ping-output.ts';
import { outcomeOf } from '../wire/reason.ts';
import { resolve } from '../wire/resolve.ts';

/** Between two requests: the least that ping allows everybody, s. */
const SPACING_S = 0.2;

/** A name that could be one of a host, so that none can be anything else to `ping` or to a resolver. */
const HOST_NAME =
  /^(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

const limits = z.strictObject({
  loss: integer(0, 99).optional().describe('how much of the requests may be lost, percent'),
  rtt: duration().optional().describe('how long an answer may take, on average'),
});

const keys = z
  .strictObject({
    host: text()
      .refine((host) => isIP(host) !== 0 || HOST_NAME.test(host), {
        error: 'this is no name or address of a host',
      })
      .describe('whom to ask: a name or an address'),
    count: integer(1, 20).default(1).describe('how many requests, 200ms apart; all inside the timeout'),
    size: integer(16, 65_507).default(56).describe('bytes of each request'),
    family: family().describe('which addresses of the name are used: any (the first), 4 or 6'),
    expect: limits.prefault({}).describe('beyond these it is a failure; without them one answer is enough'),
    warn: limits.prefault({}).describe('beyond these it is `warn`'),
  })
  .superRefine(({ host, family }, context) => {
    const literal = isIP(host ?? '');
    if (family === 'any' || literal === 0 || literal === family) return;
    context.addIssue({ code: 'custom', message: `${host} is not an IPv${family} address`, path: ['family'] });
  });

type IcmpSettings = z.infer<typeof keys>;

/** Echo requests by the system's `ping`, which may send them where we may not. */
export const icmp: Probe<IcmpSettings> = {
  kind: 'icmp',
  settings: withShortForm(['scalar'], (host) => ({ host }), keys),
  peer: ({ host }) => ({ host }),

  async attempt(settings, context) {
    const { signal, clock, enter, trace } = context;
    const { host, family } = settings;
    try {
      const address = await resolve(host, family === 'any' ? 0 : family, context);
      signal.throwIfAborted();
      // Nothing is ever connected: a host that does not answer is one that cannot be reached.
      enter('connect');
      const argv = argvFor(address, settings, context);
      trace?.({ kind: 'sent', what: 'icmp', text: argv.join(' ') });
      const env = { ...minimalEnvironment(), LANG: 'C', LC_ALL: 'C' };
      const exit = await run({ argv, cwd: '/', env }, { signal, clock }).catch((error: Error) => error);
      if (exit instanceof Error) return voided(`our own trouble: ping could not be started: ${exit.message}`);
      trace?.({ kind: 'received', what: 'icmp', text: `${exit.stdout}${exit.stderr}` });
      return judgeExit(exit, settings, context);
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

/** For iputils and busybox alike. The address is one, and no option. */
function argvFor(
  address: string,
  { count, size }: IcmpSettings,
  { clock, deadline }: ProbeContext,
): [string, ...string[]] {
  // At least as long as we wait: whole seconds, which is all that busybox takes.
  const wait = Math.max(1, Math.ceil((deadline - clock.now()) / 1_000));
  const spacing = count > 1 ? ['-i', String(SPACING_S)] : [];
  return ['ping', '-n', '-c', String(count), ...spacing, '-W', String(wait), '-s', String(size), address];
}

function judgeExit(exit: Exit, settings: IcmpSettings, context: ProbeContext): Outcome {
  const report = readPing(exit);
  switch (report.kind) {
    case 'answers':
      return judge(report, settings, context);
    case 'unreachable':
      return fail('unreachable', report.said);
    case 'nothing':
      return fail('connect_timeout', `no answer to ${settings.count} requests`, { loss: 100 });
    case 'trouble':
      return voided(
        `our own trouble: ping says ${firstLine({ stdout: exit.stderr, stderr: exit.stdout }) || 'nothing'}`,
      );
  }
}

function judge(
  { loss, rttMs, rttMaxMs, ttl }: Extract<PingReport, { kind: 'answers' }>,
  { count, expect, warn: wanted }: IcmpSettings,
  { trace }: ProbeContext,
): Outcome {
  const facts: Facts = {
    loss,
    rtt_ms: rttMs,
    ...(count > 1 && { rtt_max_ms: rttMaxMs }),
    ...(ttl !== undefined && { ttl }),
  };
  function missOf(limits: IcmpSettings['expect'], name: 'expect' | 'warn'): string | undefined {
    let miss: string | undefined;
    const warns = name === 'warn' ? { warns: true } : {};
    if (limits.loss !== undefined) {
      const passed = loss <= limits.loss;
      trace?.({ kind: 'rule', rule: `${name}.loss`, passed, value: `${loss}%`, ...warns });
      if (!passed) miss = `${loss}% of the requests were lost, above ${limits.loss}%`;
    }
    if (limits.rtt !== undefined) {
      const passed = rttMs <= limits.rtt;
      trace?.({ kind: 'rule', rule: `${name}.rtt`, passed, value: `${rttMs}ms`, ...warns });
      if (!passed) miss ??= `an answer took ${rttMs}ms, above ${limits.rtt}ms`;
    }
    return miss;
  }
  const failed = missOf(expect, 'expect');
  const warned = missOf(wanted, 'warn');
  if (failed !== undefined) return fail('mismatch', failed, facts);
  if (warned !== undefined) return warn(warned, facts);
  return ok(loss === 0 ? `answered in ${rttMs}ms` : `answered in ${rttMs}ms, ${loss}% lost`, facts);
}
