import { z } from 'zod';
import { address, text, textMap } from '../../src/schema/scalars.ts';
import { tlsChoice } from '../tls.ts';

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
    'sent along: keys in lower case; the values of keys that end in `-bin` are base64; `grpc-*`, `te` and `content-type` cannot be set',
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

export const keys = z.strictObject({
  address: address().describe('what to dial'),
  service: text().default('').describe('the service to ask for; empty asks for the server as a whole'),
  authority: text()
    .refine((name) => /^[\u0021-\u007e]+$/.test(name), 'an authority is a host, with or without a port')
    .optional()
    .describe('the `:authority` of the request; the address unless set'),
  metadata,
  tls: tlsChoice().describe('TLS: true is TLS with the defaults; ALPN is `h2`'),
});

export type GrpcSettings = z.infer<typeof keys>;
