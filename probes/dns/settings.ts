import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { type HostPort, parseAddress } from '../../src/core/address.ts';
import { pattern } from '../../src/schema/pattern.ts';
import { family, flag, integer, oneOrMore, text, withShortForm } from '../../src/schema/scalars.ts';
import { RCODES, TYPES } from './codes.ts';

const DNS_PORT = 53;

/** `host`, `host:port`, `[v6]:port` or an address alone; the port is 53 where none is written. */
function server(): z.ZodType<HostPort, string> {
  return z.string().transform((written, context) => {
    if (isIP(written) !== 0) return { host: written, port: DNS_PORT };
    const parsed = parseAddress(/:\d+$/.test(written) ? written : `${written}:${DNS_PORT}`);
    if (typeof parsed !== 'string') return parsed;
    context.addIssue({ code: 'custom', message: parsed });
    return z.NEVER;
  });
}

/** A name as it can be sent: labels of 1 to 63 bytes, 253 in all. */
function name(): z.ZodType<string> {
  return text().superRefine((written, context) => {
    const problem = nameProblem(written);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });
}

function nameProblem(written: string): string | undefined {
  if (written === '.' || isIP(written) !== 0) return undefined;
  const labels = written.replace(/\.$/, '').split('.');
  // Names outside of ASCII have a form of their own on the wire, which nobody should have to guess at.
  if (!/^[\x21-\x7e]+$/.test(written)) return `"${written}" is not a name; write IDNs as xn--...`;
  if (labels.some((label) => label === '')) return `"${written}" is not a name: there is an empty label`;
  const isLong = labels.some((label) => label.length > 63) || written.length > 253;
  return isLong ? 'the name is too long: 63 bytes a label, 253 in all' : undefined;
}

const keys = z
  .strictObject({
    name: name().describe('what to ask for; for PTR also an address, which is turned into its name'),
    type: z.enum(TYPES).default('A').describe('the type of the records'),
    server: server()
      .optional()
      .describe("whom to ask: host, host:port; without it the system's first resolver"),
    transport: z
      .enum(['udp', 'tcp'])
      .default('udp')
      .describe('how to ask; what does not fit into a datagram is asked for by TCP anyway'),
    family: family().describe("which addresses of the server's name are used: any (the first), 4 or 6"),
    recursion: flag().default(true).describe('ask the server to look further where it does not know'),
    expect: z
      .strictObject({
        rcode: z.enum(RCODES).default('NOERROR').describe('what the server must answer, such as NXDOMAIN'),
        answers: oneOrMore(text())
          .optional()
          .describe('records that must be there, as in a zone file; others may be, too'),
        pattern: pattern().optional().describe('at least one record must match'),
        min_answers: integer(0)
          .optional()
          .describe('how many records there must be at least; 1 where the rcode is NOERROR'),
        authoritative: flag()
          .optional()
          .describe('whether the answer must come from an authority of the zone'),
      })
      .prefault({})
      .describe('what the answer must be'),
  })
  .superRefine(({ name, type, server, family, expect }, context) => {
    const refuse = (message: string, ...path: (string | number)[]): void =>
      context.addIssue({ code: 'custom', message, path });
    if (name && isIP(name) !== 0 && type !== 'PTR') refuse(`${name} is an address: ask for its PTR`, 'name');
    const literal = server ? isIP(server.host) : 0;
    if (family !== 'any' && literal !== 0 && literal !== family) {
      refuse(`${server!.host} is not an IPv${family} address`, 'family');
    }
    if (!expect) return;
    const isAddress = { A: isIPv4, AAAA: isIPv6 }[type as string];
    for (const [index, answer] of (expect.answers ?? []).entries()) {
      if (isAddress && !isAddress(answer)) {
        refuse(`"${answer}" is not what an ${type} record holds`, 'expect', 'answers', index);
      }
    }
    if (expect.rcode === 'NOERROR') return;
    for (const key of ['answers', 'pattern', 'min_answers'] as const) {
      if (expect[key] !== undefined) refuse(`${expect.rcode} comes without records`, 'expect', key);
    }
  });

export type DnsSettings = z.infer<typeof keys>;

/** Short form: `name` or `name@server`. */
export const settings: z.ZodType<DnsSettings> = withShortForm(
  ['scalar'],
  (written) => {
    const [name, ...server] = String(written).split('@');
    return server.length === 0 ? { name } : { name, server: server.join('@') };
  },
  keys,
);
