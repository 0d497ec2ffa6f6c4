import { isIP } from 'node:net';
import { z } from 'zod';
import { filePath } from '../../src/schema/file.ts';
import { bytePattern } from '../../src/schema/pattern.ts';
import { address, alsoTakes, family, hex, text } from '../../src/schema/scalars.ts';
import { type TlsSettings, tlsChoice } from '../wire/tls.ts';

/** What is said, and what is heard for it. Held in this order. */
const exchange = {
  send: text().optional().describe('text to send, as UTF-8'),
  send_hex: hex().optional().describe('bytes to send, in hex'),
  expect: bytePattern().optional().describe('must match what the peer says'),
  expect_hex: hex().optional().describe('bytes that the peer must say, in hex'),
  expect_not: bytePattern().optional().describe('must not match what the peer says'),
};

type Exchange = { readonly [Key in keyof typeof exchange]?: unknown };

/** Of a pair that says the same in two ways, only one may be there. */
function refuseBoth(written: Exchange, context: z.RefinementCtx): void {
  for (const [one, other] of [
    ['send', 'send_hex'],
    ['expect', 'expect_hex'],
  ] as const) {
    if (written[one] === undefined || written[other] === undefined) continue;
    context.addIssue({ code: 'custom', message: `${one} and ${other} exclude each other`, path: [other] });
  }
}

/** True, or the keys of `tls`. */
const starttls: z.ZodType<TlsSettings | undefined> = alsoTakes(
  ['flag'],
  tlsChoice().refine((tls) => tls !== undefined, 'leave starttls out where TLS does not start'),
);

const step = z
  .strictObject({
    ...exchange,
    starttls: starttls
      .optional()
      .meta({ as: 'true, or [a mapping](tls.md)', otherwise: 'none' })
      .describe('TLS from here on: true, or a mapping with the keys of `tls`'),
  })
  .superRefine((written, context) => {
    refuseBoth(written, context);
    const keys = Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    if (written.starttls && keys.length > 1) {
      const message = 'starttls is a step of its own';
      context.addIssue({ code: 'custom', message, path: ['starttls'] });
    }
  })
  .refine((written) => Object.values(written).some((value) => value !== undefined), {
    error: 'this step neither says nor expects anything',
    when: ({ issues }) => issues.length === 0,
  });

export type Step = z.infer<typeof step>;

export const keys = z
  .strictObject({
    address: address().optional().describe('what to dial: host:port or [v6]:port; either this or `unix`'),
    unix: filePath().optional().describe('a unix socket to dial instead'),
    family: family().describe(
      'which addresses of the name are dialled: any (the first), 4 (IPv4) or 6 (IPv6)',
    ),
    tls: tlsChoice().describe('TLS from the start: true, or a mapping'),
    ...exchange,
    steps: z
      .array(step)
      .min(1, 'steps is empty')
      .optional()
      .describe('a dialogue: what is said and expected, one after the other; instead of `send` and `expect`'),
  })
  .superRefine((written, context) => {
    const { address, unix, family, tls, steps = [] } = written;
    const refuse = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', message, path });

    if ((address === undefined) === (unix === undefined)) refuse('tcp takes either address or unix');
    refuseBoth(written, context);
    if (family !== 'any') {
      const literal = address ? isIP(address.host) : 0;
      if (unix !== undefined) refuse('a unix socket has no family', 'family');
      else if (literal !== 0 && literal !== family)
        refuse(`${address!.host} is not an IPv${family} address`, 'family');
    }
    if (written.steps) {
      for (const key of Object.keys(exchange) as (keyof typeof exchange)[]) {
        if (written[key] !== undefined) refuse(`${key} and steps exclude each other`, key);
      }
    }
    const starts = steps.flatMap((step, index) => (step.starttls ? [index] : []));
    if (tls && starts.length > 0) {
      refuse('TLS is up from the start; starttls cannot start it again', 'steps', starts[0]!, 'starttls');
    }
    for (const index of starts.slice(1)) {
      refuse('TLS is up by then; starttls cannot start it twice', 'steps', index, 'starttls');
    }
  });

export type TcpSettings = z.infer<typeof keys>;
