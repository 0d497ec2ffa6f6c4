import { isIP } from 'node:net';
import { z } from 'zod';
import { address, family, text, textMap } from '../../src/schema/scalars.ts';
import { tlsChoice } from '../wire/tls.ts';

/** Fields of HTTP/2's and gRPC's own, and those of HTTP/1 that HTTP/2 forbids. */
const PROTOCOL_FIELDS = new Set([
  'te',
  'content-type',
  'content-length',
  'host',
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const metadata = textMap()
  .superRefine((entries, context) => {
    for (const [name, value] of Object.entries(entries)) {
      const problem = metadataProblem(name, value);
      if (problem) context.addIssue({ code: 'custom', message: problem, path: [name] });
    }
  })
  .default({})
  .describe(
    'sent along: keys in lower case; the values of keys that end in `-bin` are base64; fields of the protocol cannot be set',
  );

function metadataProblem(name: string, value: string): string | undefined {
  if (!/^[0-9a-z_.-]+$/.test(name)) {
    return `"${name}" is not a metadata key (lower case letters, digits, _ . -)`;
  }
  if (name.startsWith('grpc-') || PROTOCOL_FIELDS.has(name)) {
    return `${name} belongs to the protocol and cannot be set`;
  }
  if (name.endsWith('-bin')) {
    return /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? undefined : `${name} must be base64`;
  }
  if (!/^[\u0020-\u007e]*$/.test(value)) return `the value of ${name} must be printable ASCII`;
  // RFC 9113 section 8.2.1.
  return /^ | $/.test(value) ? `the value of ${name} cannot begin or end with a blank` : undefined;
}

export const keys = z
  .strictObject({
    address: address().describe('what to dial: host:port or [v6]:port'),
    family: family().describe(
      'which addresses of the name are dialled: any (the first), 4 (IPv4) or 6 (IPv6)',
    ),
    service: text().default('').describe('the service to ask for; empty asks for the server as a whole'),
    authority: text()
      .refine((name) => /^[\u0021-\u007e]+$/.test(name), 'an authority is a host, with or without a port')
      .optional()
      .describe('the `:authority` of the request; the address where it is not set'),
    metadata,
    connection: z
      .enum(['fresh', 'reuse'])
      .default('fresh')
      .describe('reuse keeps the connection for the next attempts; a kept one that is dead fails nobody'),
    tls: tlsChoice().describe('TLS: true, or a mapping; the protocol that is offered is `h2`'),
  })
  .superRefine(({ address, family, tls }, context) => {
    const literal = isIP(address.host);
    if (family !== 'any' && literal !== 0 && literal !== family) {
      const message = `${address.host} is not an IPv${family} address`;
      context.addIssue({ code: 'custom', message, path: ['family'] });
    }
    if (tls && tls.alpn && !tls.alpn.includes('h2')) {
      context.addIssue({ code: 'custom', message: 'gRPC needs h2 to be offered', path: ['tls', 'alpn'] });
    }
  });

export type GrpcSettings = z.infer<typeof keys>;
