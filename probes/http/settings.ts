import { z } from 'zod';
import { filePath } from '../../src/schema/file.ts';
import { pattern } from '../../src/schema/pattern.ts';
import {
  address,
  httpUrl,
  integer,
  oneOrMore,
  size,
  text,
  textMap,
  withShortForm,
} from '../../src/schema/scalars.ts';
import { tlsKeys } from '../tls.ts';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** One code, or `from-to`. */
function statusRange(): z.ZodType<StatusRange> {
  return z
    .union([z.int(), z.string()], { error: 'expected a status or a range such as 200-299' })
    .transform((written, context) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(String(written));
      const from = Number(match?.[1]);
      const to = Number(match?.[2] ?? match?.[1]);
      const problem = !match
        ? `"${written}" is not a status or a range such as 200-299`
        : from < 100 || to > 599
          ? `${written} is outside of 100 to 599`
          : from > to
            ? `the range ${written} runs backwards`
            : undefined;
      if (problem === undefined) return { from, to };
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    });
}

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

const body = withShortForm(
  ['scalar'],
  (text) => ({ text }),
  z.union([
    z.strictObject({ text: text() }).transform((b) => ({ ...b, json: false })),
    z.strictObject({ json: z.json() }).transform((b) => ({ text: JSON.stringify(b.json), json: true })),
  ]),
).optional();

export const keys = z
  .strictObject({
    url: httpUrl(),
    unix: filePath().optional(),
    address: address().optional(),
    method: z
      .string()
      .regex(/^[A-Z]+$/, 'a method is written in capitals: GET, HEAD, POST')
      .refine((method) => method !== 'CONNECT', 'CONNECT asks for a tunnel, not for an answer')
      .default('GET'),
    headers: headerFields().default({}),
    auth: z
      .strictObject({
        basic: z
          .strictObject({
            username: text().refine((name) => !name.includes(':'), 'a username cannot contain a colon'),
            password: text(),
          })
          .optional(),
        bearer: text()
          .refine((token) => !UNFIT.test(token), 'the token has a character that no header may carry')
          .optional(),
      })
      .refine(({ basic, bearer }) => (basic === undefined) !== (bearer === undefined), {
        error: 'auth takes either basic or bearer',
      })
      .optional(),
    body,
    redirects: integer(0, 20).default(0),
    max_body: size().default(2 ** 20),
    tls: tlsKeys().optional(),
    expect: z
      .strictObject({
        status: oneOrMore(statusRange()).default([{ from: 200, to: 299 }]),
        body: pattern().optional(),
        body_not: pattern().optional(),
        headers: z.record(z.string(), pattern()).default({}),
        headers_not: z.record(z.string(), pattern()).default({}),
      })
      .prefault({}),
  })
  .refine(({ unix, address }) => unix === undefined || address === undefined, {
    error: 'unix and address exclude each other',
  });

export type HttpSettings = z.infer<typeof keys>;
