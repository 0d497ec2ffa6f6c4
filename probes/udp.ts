import { isIP } from 'node:net';
import { z } from 'zod';
import { type Outcome, fail, ok } from '../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../src/core/probe.ts';
import { formatSize } from '../src/core/units.ts';
import { bytePattern, shortestReach } from '../src/schema/pattern.ts';
import { address, family, flag, hex, text } from '../src/schema/scalars.ts';
import { exchange } from './wire/datagram.ts';
import { outcomeOf } from './wire/reason.ts';
import { legible, shown } from './wire/shown.ts';

/** How long a refusal by ICMP has for coming back where nothing else is waited for, ms. */
const QUIET_MS = 250;
/** What fits into a datagram of IPv4. */
const MOST_BYTES = 65_507;

const RULES = ['expect', 'expect_hex', 'expect_not'] as const;

const keys = z
  .strictObject({
    address: address().describe('where to: host:port or [v6]:port'),
    family: family().describe('which addresses of the name are used: any (the first), 4 or 6'),
    send: text().optional().describe('text to send, as UTF-8; either this or `send_hex`'),
    send_hex: hex().optional().describe('bytes to send, in hex'),
    expect: bytePattern().optional().describe('must match the datagram that answers'),
    expect_hex: hex().optional().describe('bytes that the answer must have in it, in hex'),
    expect_not: bytePattern().optional().describe('must not match the datagram that answers'),
    resend: flag()
      .default(true)
      .describe('where an answer is expected, send the same once more half-way to the deadline'),
  })
  .superRefine((written, context) => {
    const { address, family, send, send_hex, expect, expect_hex } = written;
    const refuse = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', message, path });
    if (send === undefined && send_hex === undefined) refuse('udp needs something to send: send or send_hex');
    if (send !== undefined && send_hex) refuse('send and send_hex exclude each other', 'send_hex');
    if (expect && expect_hex) refuse('expect and expect_hex exclude each other', 'expect_hex');
    const size = send_hex?.length ?? Buffer.byteLength(send ?? '');
    if (size > MOST_BYTES) {
      refuse(`${size} bytes do not fit into a datagram`, send_hex ? 'send_hex' : 'send');
    }
    const literal = address ? isIP(address.host) : 0;
    if (family !== 'any' && literal !== 0 && literal !== family) {
      refuse(`${address.host} is not an IPv${family} address`, 'family');
    }
  });

type UdpSettings = z.infer<typeof keys>;

/** A datagram, and where it is asked for the one that answers it. */
export const udp: Probe<UdpSettings> = {
  kind: 'udp',
  settings: keys,
  peer: ({ address }) => address,

  async attempt(settings, context) {
    const { address, family, send, send_hex, resend } = settings;
    const bytes = send_hex ?? Buffer.from(send ?? '', 'utf8');
    const listens = RULES.some((rule) => settings[rule] !== undefined);
    context.trace?.({ kind: 'sent', what: 'udp', text: legible(bytes) });
    try {
      return await exchange<Outcome>(
        {
          peer: address,
          family: family === 'any' ? 0 : family,
          bytes,
          resend,
          take: (datagram) => {
            context.enter('receive');
            context.trace?.({ kind: 'received', what: 'udp', text: legible(datagram) });
            return judge(datagram, settings, context);
          },
          ...(!listens && { quiet: { ms: QUIET_MS, means: ok('sent, and not refused') } }),
        },
        context,
      );
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

function judge(datagram: Buffer, settings: UdpSettings, { trace }: ProbeContext): Outcome {
  const { expect, expect_hex, expect_not } = settings;
  const said = shown(datagram);
  const facts = { bytes: datagram.length };
  const passed = {
    expect: !expect || expect.endOfMatch(datagram) !== undefined,
    expect_hex: !expect_hex || datagram.includes(expect_hex),
    expect_not: expect_not?.endOfMatch(datagram) === undefined,
  };
  for (const rule of RULES) {
    if (settings[rule]) trace?.({ kind: 'rule', rule, passed: passed[rule], value: said });
  }
  if (!passed.expect_not) return fail('mismatch', `the answer matches /${expect_not!.source}/`, facts);
  const limit = shortestReach([expect, expect_not], MOST_BYTES);
  if (datagram.length > limit && (!passed.expect || expect_not)) {
    return fail('too_large', `no match in the first ${formatSize(limit)}`, facts);
  }
  if (!passed.expect)
    return fail('mismatch', `the answer is ${said}, which is not /${expect!.source}/`, facts);
  if (!passed.expect_hex) return fail('mismatch', `the answer is ${said}`, facts);
  return ok(RULES.some((rule) => settings[rule]) ? 'the answer is as expected' : 'answered', facts);
}
