import { printable } from '../wire/printable.ts';
import { ProbeFailure } from '../wire/reason.ts';

/**
 * Where the head ends, its empty line included: a line feed alone ends a line, too (RFC 9112 section 2.2). It does not
 * end before `from`.
 */
export function endOfHead(bytes: Buffer, from = 0): number | undefined {
  for (let at = bytes.indexOf(0x0a, from); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at + 2;
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return at + 3;
  }
  return undefined;
}

export function parseFields(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of lines) {
    if (/[\0\r]/.test(line)) throw malformed(`not a header field: ${printable(line)}`);
    // RFC 9112 section 5.2: a folded line goes on with the field before it.
    if (last && /^[ \t]/.test(line)) {
      const more = trimmed(line);
      const before = last.pop() ?? '';
      // Not joined by copying: thousands of folds in one field would take quadratic time.
      last.push(before === '' ? more : more === '' ? before : `${before} ${more}`);
      continue;
    }
    const name = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?=:)/.exec(line)?.[0].toLowerCase();
    if (name === undefined) throw malformed(`not a header field: ${printable(line)}`);
    last = fields.get(name) ?? [];
    last.push(trimmed(line.slice(name.length + 1)));
    fields.set(name, last);
  }
  return fields;
}

/**
 * Without the blanks around it, which are space and tab alone. Not by a pattern: one that looks for blanks at the end
 * takes quadratic time over blanks inside, and a hostile server would freeze us.
 */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && ' \t'.includes(text[from]!)) from++;
  while (to > from && ' \t'.includes(text[to - 1]!)) to--;
  return text.slice(from, to);
}

/** RFC 9112 section 6.3: repeated lengths are one only where they are the same. */
export function contentLength(values: readonly string[]): number {
  const all = values.flatMap((value) => value.split(',')).map(trimmed);
  const [first = ''] = all;
  if (all.some((value) => value !== first)) throw malformed('different Content-Lengths');
  if (!/^\d{1,15}$/.test(first)) throw malformed(`not a Content-Length: ${printable(first)}`);
  return Number(first);
}

export function malformed(what: string): ProbeFailure {
  return new ProbeFailure('protocol', what);
}
