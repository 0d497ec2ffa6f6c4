import { isIP } from 'node:net';
import { z } from 'zod';
import { filePath } from '../../src/schema/file.ts';
import {
  address,
  alsoTakes,
  expected,
  flag,
  httpUrl,
  integer,
  size,
  text,
  textMap,
  withShortForm,
} from '../../src/schema/scalars.ts';
import { CONNECTION_FIELDS } from '../http2/fields.ts';
import { tlsOfUrl } from '../wire/tls.ts';
import { proxyUrl } from './proxy.ts';
import { originOf } from './request.ts';
import { expectations, facts, warnings } from './rules.ts';

/** What no header can carry: control characters, and what is not Latin-1. */
const UNFIT = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const FRAMING = new Set(['content-length', 'transfer-encoding']);

function headerFields(): z.ZodType<Record<string, string>> {
  return textMap().superRefine((fields, context) => {
    for (const [name, value] of Object.entries(fields)) {
      const problem = !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)
        ? `"${name}" is not a header name`
        : UNFIT.test(value)
          ? `the value of ${name} has a character that no header may carry`
          : FRAMING.has(name.toLowerCase())
            ? `${name} follows from the body and cannot be set`
            : undefined;
      if (problem) context.addIssue({ code: 'custom', message: problem, path: [name] });
    }
  });
}

/** YAML makes a number of one that is not quoted. */
function httpVersion(): z.ZodType<'1.1' | '2'> {
  return alsoTakes(
    ['reference'],
    z
      .preprocess(
        (raw) => (typeof raw === 'number' ? String(raw) : raw),
        z.enum(['1.1', '2'], { error: expected('1.1 or 2') }),
      )
      .default('1.1'),
  );
}

/** What a request cannot have over HTTP/2 (RFC 9113 section 8.2.2). */
function http2Problem(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  if (CONNECTION_FIELDS.has(lower)) return `${name} belongs to HTTP/1, and version is 2`;
  return lower === 'te' && value !== 'trailers' ? 'over HTTP/2 te can only be trailers' : undefined;
}

const body = withShortForm(
  ['scalar'],
  (text) => ({ text }),
  z.union([
    z.strictObject({ text: text().describe('sent as it stands') }).transform((b) => ({ ...b, json: false })),
    z
      .strictObject({ json: z.json().describe('serialised, and sent as `application/json`') })
      .transform((b) => ({ text: JSON.stringify(b.json), json: true })),
  ]),
);

const auth = z
  .strictObject({
    basic: z
      .strictObject({
        username: text()
          .refine((name) => !name.includes(':'), 'a username cannot contain a colon')
          .describe('without a colon'),
        password: text().describe('its password'),
      })
      .optional()
      .describe('sends `authorization: Basic ...`'),
    bearer: text()
      .refine((token) => !UNFIT.test(token), 'the token has a character that no header may carry')
      .optional()
      .describe('sends `authorization: Bearer ...`; either this or `basic`'),
  })
  .refine(({ basic, bearer }) => (basic === undefined) !== (bearer === undefined), {
    error: 'auth takes either basic or bearer',
  });

export const keys = z
  .strictObject({
    url: httpUrl().describe(
      '`http://` or `https://`, a host, and the rest as it will be sent; no credentials',
    ),
    unix: filePath().optional().describe('a unix socket to dial instead'),
    address: address()
      .optional()
      .describe("what to dial instead of the URL's host; Host and the TLS name stay the URL's"),
    family: z
      .preprocess((raw) => (raw === '4' || raw === '6' ? Number(raw) : raw), z.literal(['any', 4, 6]))
      .default('any')
      .describe('which addresses of the name are dialled: any (the first), 4 (IPv4) or 6 (IPv6)'),
    proxy: proxyUrl().optional().describe('an `http://` proxy to go through; the environment names none'),
    method: z
      .string()
      .regex(/^[A-Z]+$/, 'a method is written in capitals: GET, HEAD, POST')
      .refine((method) => method !== 'CONNECT', 'CONNECT asks for a tunnel, not for an answer')
      .default('GET')
      .describe('in capitals; not `CONNECT`'),
    headers: headerFields()
      .default({})
      .describe('sent as written; one of the same name replaces ours, whatever its case'),
    auth: auth.optional().describe('credentials; they stay with the origin of the URL'),
    body: body.optional().describe('text, or `json`, which is serialised and sent as `application/json`'),
    version: httpVersion().describe('of HTTP; `2` by prior knowledge over http, by ALPN over https'),
    redirects: integer(0, 20).default(0).describe('how many redirects are followed'),
    cookies: flag().default(false).describe('keep cookies between redirects'),
    max_body: size()
      .default(2 ** 20)
      .describe('how much of the body is read, as it is after decompression'),
    decompress: flag()
      .default(false)
      .describe('ask for a compressed body (`accept-encoding`) and decode gzip, deflate and br'),
    connection: z
      .enum(['fresh', 'reuse'])
      .default('fresh')
      .describe('a fresh connection for each attempt, or one that is kept between them'),
    tls: tlsOfUrl().optional().describe('for https'),
    expect: expectations.describe('the answer must be so, or the attempt fails'),
    warn: warnings.optional().describe('the answer should be so, or the attempt is a `warn`'),
    facts: facts.describe('by name: values to read from the answer, in CEL'),
  })
  .superRefine((settings, context) => {
    const { url, unix, address, family, proxy, version, headers, tls, redirects, expect, warn } = settings;
    const refuse = (message: string, ...path: string[]): void => {
      context.addIssue({ code: 'custom', message, path });
    };
    if (unix !== undefined && address !== undefined) refuse('unix and address exclude each other');
    if (proxy) {
      for (const [key, value] of Object.entries({ unix, address })) {
        if (value !== undefined) refuse(`${key} and proxy exclude each other`, key);
      }
    }
    if (version === '2') {
      if (proxy && !originOf(url).secure) {
        refuse('HTTP/2 goes through a proxy inside of a tunnel alone, to an https URL', 'version');
      }
      if (tls?.alpn && !tls.alpn.includes('h2')) refuse('version 2 needs h2 to be offered', 'tls', 'alpn');
      for (const [name, value] of Object.entries(headers)) {
        const problem = http2Problem(name, value);
        if (problem) refuse(problem, 'headers', name);
      }
    }
    for (const [key, rules] of Object.entries({ expect, warn })) {
      if (redirects === 0 && /^http:/i.test(url) && rules?.cel?.uses('tls_days_left'))
        refuse('over http there is no certificate, and no tls_days_left', key, 'cel');
    }
    if (family === 'any') return;
    const { host } = proxy ?? address ?? originOf(url);
    if (unix !== undefined) refuse('a unix socket has no family', 'family');
    else if (![0, family].includes(isIP(host))) refuse(`${host} is not an IPv${family} address`, 'family');
  });

export type HttpSettings = z.infer<typeof keys>;
