import { z } from 'zod';
import { type HostPort, parseAddress } from '../core/address.ts';
import {
  MAX_DURATION_MS,
  type Rate,
  formatDuration,
  parseDuration,
  parseRate,
  parseSize,
} from '../core/units.ts';

/**
 * The scalars that probes, hooks and the configuration share. A value that came from `${VAR}` is always text, so
 * numbers and booleans are also taken as text.
 */

/** A message for a value of the wrong type; one that is missing is told as missing. */
export function expected(what: string) {
  return ({ input }: { readonly input?: unknown }): string | undefined =>
    input === undefined ? undefined : `expected ${what}`;
}

/** A duration such as `1m30s`, put out in ms. Above the default `max` it can be compared, but no timer takes it. */
export function duration({ min = 1, max = MAX_DURATION_MS } = {}): z.ZodType<number, string> {
  return z
    .string({
      error: ({ input }) =>
        typeof input === 'number'
          ? `a duration needs a unit: ${input}s or ${input}ms?`
          : expected('a duration such as 500ms, 2s or 1m30s')({ input }),
    })
    .transform((text, context) => {
      const ms = parseDuration(text);
      const problem =
        ms === undefined
          ? `"${text}" is not a duration such as 500ms, 2s or 1m30s`
          : ms > max
            ? `"${text}" is above the longest duration, ${max}ms (${formatDuration(max)})`
            : ms < min
              ? `"${text}" is too short; the least is ${min}ms`
              : undefined;
      if (problem === undefined) return ms!;
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    })
    .meta({ as: 'duration' });
}

/** So many within so long, such as `3/30m`. */
export function rate(): z.ZodType<Rate, string> {
  return z
    .string({ error: expected('a rate such as 3/30m: so many within so long') })
    .transform((written, context) => {
      const parsed = parseRate(written);
      if (parsed) return parsed;
      const message = `"${written}" is not a rate such as 3/30m: so many within so long`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ as: 'rate' });
}

/** A size such as `64KiB`, put out in bytes. */
export function size(): z.ZodType<number, string> {
  return z
    .string({ error: expected('a size with its unit, such as 512B, 64KiB or 1MiB') })
    .transform((text, context) => {
      const bytes = parseSize(text);
      if (bytes !== undefined) return bytes;
      context.addIssue({
        code: 'custom',
        message: `"${text}" is not a size such as 512B, 64KiB or 1MiB`,
      });
      return z.NEVER;
    })
    .meta({ as: 'size' });
}

/** A whole number in [min, max]. */
export function integer(min: number, max = 1_000_000): z.ZodType<number> {
  const range = max === 1_000_000 ? `${min} or more` : `from ${min} to ${max}`;
  const message = expected(`a whole number, ${range}`);
  return alsoTakes(
    ['reference'],
    z.preprocess(
      (raw) => (typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw),
      z.int({ error: message }).min(min, { error: message }).max(max, { error: message }),
    ),
  ).meta({ as: max === 1_000_000 ? (min === 0 ? 'count' : `count, at least ${min}`) : `${min} to ${max}` });
}

export function flag(): z.ZodType<boolean> {
  return alsoTakes(
    ['reference'],
    z.preprocess(
      (raw) => (raw === 'true' ? true : raw === 'false' ? false : raw),
      z.boolean({ error: expected('true or false') }),
    ),
  );
}

/** Text; whole numbers and booleans are taken as they are written. */
export function text(): z.ZodType<string> {
  return alsoTakes(
    ['scalar'],
    z.preprocess(
      (raw) => (typeof raw === 'boolean' || Number.isSafeInteger(raw) ? String(raw) : raw),
      z.string({
        error: ({ input }) =>
          typeof input === 'number' ? 'this number has to be in quotes to be text' : undefined,
      }),
    ),
  );
}

/** Bytes in hex, blanks between them allowed. In quotes: `00000008` is a number in YAML. */
export function hex(): z.ZodType<Buffer, string> {
  return z
    .string({
      error: ({ input }) =>
        typeof input === 'number'
          ? 'these digits have to be in quotes to be bytes'
          : expected('bytes in hex, such as "50494e47"')({ input }),
    })
    .transform((written, context) => {
      const digits = written.replaceAll(/\s/g, '');
      const problem = !/^[0-9a-fA-F]*$/.test(digits)
        ? `"${written}" is not hex; write bytes such as "50 49 4e 47"`
        : digits.length % 2 === 1
          ? 'a byte has two hex digits, and here is one too many or too few'
          : digits === ''
            ? 'there are no bytes'
            : undefined;
      if (problem === undefined) return Buffer.from(digits, 'hex');
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    })
    .meta({ as: 'hex' });
}

export function textMap(): z.ZodType<Record<string, string>> {
  return z.record(z.string(), text());
}

export function address(): z.ZodType<HostPort, string> {
  return z
    .string({ error: expected('host:port') })
    .transform((written, context) => {
      const parsed = parseAddress(written);
      if (typeof parsed !== 'string') return parsed;
      context.addIssue({ code: 'custom', message: parsed });
      return z.NEVER;
    })
    .meta({ as: 'address' });
}

/** Which addresses of a name are dialled. */
export function family(): z.ZodType<'any' | 4 | 6> {
  return alsoTakes(
    ['reference'],
    z
      .preprocess((raw) => (raw === '4' || raw === '6' ? Number(raw) : raw), z.literal(['any', 4, 6]))
      .default('any'),
  );
}

/** An http or https URL. The text is kept: it goes out as it was written. */
export function httpUrl(): z.ZodType<string, string> {
  return z
    .string({ error: expected('a URL') })
    .superRefine((written, context) => {
      const problem = urlProblem(written);
      if (problem) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({ as: 'URL' });
}

function urlProblem(written: string): string | undefined {
  if (/[\s\u0000-\u001f\u007f]/.test(written)) return 'a URL must not contain spaces or control characters';
  const authority = /^https?:\/\/([^/?#]+)/i.exec(written)?.[1];
  if (authority === undefined) return 'the URL must begin with http:// or https:// and a host';
  if (authority.includes('@')) return 'write credentials as auth, not inside the URL';
  const port = /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(authority)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    return `port ${port} is out of range (1 to 65535)`;
  }
  // A URL parser takes a backslash for a slash, and half a character for a whole one; they would not go out as written.
  const strange = authority.includes('\\') || /\p{Surrogate}/u.test(written);
  return strange || !URL.canParse(written) ? 'this is not a valid URL' : undefined;
}

/** A list that may be written as its only member. */
export function oneOrMore<T>(member: z.ZodType<T>): z.ZodType<T[]> {
  return withShortForm(['scalar'], (only) => [only], z.array(member).min(1, 'the list is empty'));
}

declare module 'zod' {
  /** What a schema cannot say of itself, noted by `.meta()` for the key tables of the docs and the JSON Schema. */
  interface GlobalMeta {
    /** What such a value is called: `duration`, `0 to 20`. A mapping that has a name is not taken apart there. */
    as?: string;
    /** What stands where the key is not written, if that is no plain default. */
    otherwise?: string;
    short?: readonly ShortForm[];
  }
}

/** What may stand in a value's place, beside what its schema says; the editor's JSON Schema is made from it. */
export type ShortForm = 'scalar' | 'list' | 'flag' | 'reference';

/** A value with a short form: a scalar, or a list, that stands for `expand(value)`. */
export function withShortForm<T>(
  forms: readonly ('scalar' | 'list')[],
  expand: (value: unknown) => unknown,
  long: z.ZodType<T>,
): z.ZodType<T> {
  const isShort = (raw: unknown): boolean =>
    forms.includes(Array.isArray(raw) ? 'list' : 'scalar') &&
    (Array.isArray(raw) || typeof raw !== 'object' || raw === null);
  return alsoTakes(
    forms,
    z.preprocess((raw) => (isShort(raw) ? expand(raw) : raw), long),
  );
}

/** Notes for the JSON Schema what a preprocessing step takes in: zod can only tell what comes after it. */
export function alsoTakes<T extends z.ZodType>(forms: readonly ShortForm[], schema: T): T {
  return schema.meta({ short: forms });
}
