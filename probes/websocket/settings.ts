import { isIP } from 'node:net';
import { z } from 'zod';
import { bytePattern } from '../../src/schema/pattern.ts';
import {
  address,
  family,
  hex,
  httpUrl,
  oneOrMore,
  text,
  textMap,
  withShortForm,
} from '../../src/schema/scalars.ts';
import { tlsOfUrl } from '../wire/tls.ts';

/** What no header can carry: control characters, and what is not Latin-1. */
const UNFIT = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Those of the handshake itself (RFC 6455 section 4.1), and of bodies, which a GET has none of. */
const OURS = /^(sec-websocket-.*|connection|upgrade|content-length|transfer-encoding)$/i;

function url(): z.ZodType<string, string> {
  return z.string().superRefine((written, context) => {
    const problem = !/^wss?:\/\//i.test(written)
      ? 'the URL must begin with ws:// or wss:// and a host'
      : written.includes('#')
        ? 'the URL of a WebSocket has no fragment (RFC 6455 section 3)'
        : httpUrl()
            .safeParse(written.replace(/^ws/i, 'http'))
            .error?.issues[0]?.message.replace('http:// or https://', 'ws:// or wss://');
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });
}

const headers = textMap().superRefine((fields, context) => {
  for (const [name, value] of Object.entries(fields)) {
    const problem = !TOKEN.test(name)
      ? `"${name}" is not a header name`
      : UNFIT.test(value)
        ? `the value of ${name} has a character that no header may carry`
        : OURS.test(name)
          ? `${name} belongs to the handshake and cannot be set`
          : undefined;
    if (problem) context.addIssue({ code: 'custom', message: problem, path: [name] });
  }
});

const keys = z
  .strictObject({
    url: url().describe('`ws://` or `wss://`, a host, and the rest'),
    address: address()
      .optional()
      .describe("what to dial instead of the URL's host; Host and the TLS name stay the URL's"),
    family: family().describe('which addresses of the name are dialled: any (the first), 4 or 6'),
    headers: headers.default({}).describe('sent with the request to upgrade'),
    subprotocol: oneOrMore(text().refine((name) => TOKEN.test(name), 'this is no name of a subprotocol'))
      .optional()
      .describe('offered to the server, which must choose one of them'),
    tls: tlsOfUrl().optional().describe('for `wss://`'),
    send: text().optional().describe('a text message to send once the connection is open'),
    send_hex: hex().optional().describe('a binary message to send instead, in hex'),
    expect: bytePattern().optional().describe('a message must come that matches; others may come before it'),
    expect_not: bytePattern().optional().describe('no message may match'),
  })
  .superRefine(({ url, address, family, tls, send, send_hex, subprotocol }, context) => {
    const refuse = (message: string, key: string): void =>
      context.addIssue({ code: 'custom', message, path: [key] });
    if (send !== undefined && send_hex) refuse('send and send_hex exclude each other', 'send_hex');
    if (tls && /^ws:/i.test(url ?? '')) refuse('tls is for wss:// URLs', 'tls');
    if (new Set(subprotocol).size < (subprotocol?.length ?? 0)) {
      refuse('a subprotocol is there twice', 'subprotocol');
    }
    const host = address?.host ?? hostOf(url ?? '');
    const literal = isIP(host);
    if (family !== 'any' && literal !== 0 && literal !== family) {
      refuse(`${host} is not an IPv${family} address`, 'family');
    }
  });

export type WebsocketSettings = z.infer<typeof keys>;

export const settings = withShortForm<WebsocketSettings>(['scalar'], (url) => ({ url }), keys);

/** The URL's host, without the brackets of an IPv6 address. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replaceAll(/^\[|\]$/g, '') : '';
}

/** Of a URL that was checked. */
export function originOf(url: string): {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
} {
  const { protocol, port } = new URL(url);
  const secure = protocol === 'wss:';
  return { secure, host: hostOf(url), port: Number(port || (secure ? 443 : 80)) };
}
